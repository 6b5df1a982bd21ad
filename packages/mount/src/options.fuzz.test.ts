import { attempt, fuzz, mutatedBytes, mutatedText } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { attributeChange, attributeFlags } from './mount-attributes.ts'
import { parseMountOptions } from './mount-options.ts'
import { overlayLayers, overlayMount } from './overlay.ts'
import { parseMountInfo } from './parse-mount-info.ts'

const option = mutatedText(
  [
    'ro',
    'rw',
    'nosuid',
    'rbind',
    'bind',
    'remount',
    'rslave',
    'noatime',
    'size=64k',
    'mode=0755',
    'lowerdir=/a:/b',
    'upperdir=/u',
    'workdir=/w',
    'defaults',
    'lazytime',
  ],
  { most: 1, dictionary: [',', '=', '\\', ':', '\0', ' ', 'ro'] },
)

fuzz(
  'each option of a mount has the meaning that it has alone, and the later one holds',
  fc.array(option, { maxLength: 8 }),
  (options) => {
    const { outcome, value } = attempt(() => parseMountOptions(options))
    if (value === undefined) {
      expect(options.some((each) => each === '' || each.startsWith('=') || each.includes('\0'))).toBe(true)
      return outcome
    }
    const alone = options.map((each) => parseMountOptions([each]))
    expect(value.attributes).toEqual(Object.assign({}, ...alone.map(({ attributes }) => attributes)))
    expect(value.fileSystem).toEqual(alone.flatMap(({ fileSystem }) => fileSystem))
    expect(value.superblock).toEqual(alone.flatMap(({ superblock }) => superblock))
    expect(value.remount).toBe(alone.some(({ remount }) => remount))
    // No option is in two places: the file system gets all that are not known otherwise.
    expect(
      value.fileSystem.map(({ key, value: set }) => (set === undefined ? key : `${key}=${set}`)),
    ).toEqual(options.filter((_, index) => alone[index]!.fileSystem.length > 0))
    const { set, clear } = attributeChange(value.attributes)
    expect(
      Number.isInteger(set) && Number.isInteger(clear) && Number.isInteger(attributeFlags(value.attributes)),
    ).toBe(true)
    return outcome
  },
)

const path = mutatedText(['/a', '/var/lib/x', '/with,comma', '/with:colon', '/back\\slash'], {
  most: 3,
  dictionary: [',', ':', '\\', '\\\\', 'lowerdir=', ',upperdir=/etc', '\n', '='],
}).filter((text) => text !== '' && !text.includes('\0'))
const layers = fc.record({ lower: fc.array(path, { minLength: 1, maxLength: 4 }), upper: path, work: path })

fuzz('no directory of an overlay is read as another option or another directory', layers, (given) => {
  expect(overlayLayers(overlayMount(given, ['index=off']))).toEqual(given)
  // Joined by commas, as for mount(2) and mount(8): a comma without a backslash separates options.
  const text = overlayMount(given).options.join(',')
  const parted = text.split(/(?<=(?:^|[^\\])(?:\\\\)*),/)
  expect(parted.map((each) => each.split('=', 1)[0])).toEqual(['workdir', 'upperdir', 'lowerdir'])
  return 'accepted'
})

fuzz(
  'the directories of an overlay are read one way or refused',
  fc.array(option, { maxLength: 5 }),
  (options) => {
    const mount = { type: 'overlay', source: 'overlay', options }
    const { outcome, value } = attempt(() => overlayLayers(mount))
    if (value === undefined) return outcome
    expect([...value.lower, value.upper, value.work]).not.toContain('')
    expect(overlayLayers(overlayMount(value))).toEqual(value)
    return outcome
  },
)

const lines = [
  '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue',
  '25 30 0:23 / /with\\040space rw,nosuid shared:7 propagate_from:2 unbindable - tmpfs tmpfs rw,size=1k',
  '1 0 0:1 / / ro - overlay overlay rw,lowerdir=/a\\134:b:/c',
]

fuzz(
  'a line of the mount table is a mount or an error, never half of one',
  mutatedBytes(lines, { dictionary: [' ', ' - ', '\\040', '\\777', '\\', 'shared:', ':', '\n'] }),
  (line) => {
    // A line of the kernel: an invalid one is an error of the code or the kernel.
    let mount: ReturnType<typeof parseMountInfo>
    try {
      mount = parseMountInfo(line)
    } catch (error) {
      expect(error).toMatchObject({ name: 'NsboxError', code: 'internal' })
      return 'internal'
    }
    expect(Number.isSafeInteger(mount.id) && Number.isSafeInteger(mount.parentId)).toBe(true)
    expect([mount.mountPoint, mount.root, mount.type]).not.toContain('')
    expect(mount.mountPointBytes?.toString() ?? mount.mountPoint).toBe(mount.mountPoint)
    expect(mount.options.length).toBeGreaterThan(0)
    return 'accepted'
  },
)
