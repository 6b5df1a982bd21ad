import {
  appendFileSync,
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { getSystemErrorName } from 'node:util'
import { fileCalls } from '@nsbox/sys/files'
import fc from 'fast-check'

/** One change of a tree. Numbers choose its object among what exists. */
export interface TreeChange {
  readonly do: keyof typeof making | keyof typeof changing
  readonly at: number
  readonly other: number
  /** Name of the new node, with one character per byte. */
  readonly name: string
  /** Chooses among contents, modes and so on. */
  readonly value: number
}

/** The place of a change: a path in bytes, the same with one character per byte, and another path. */
interface Place {
  readonly at: Buffer
  readonly bytes: string
  readonly other: Buffer
  readonly value: number
}

type Action = (place: Place) => void

const contents = ['', 'one', 'two', 'x'.repeat(512), 'y'.repeat(513), 'six', '../a', '/etc'] as const
const modes = [0o644, 0o755, 0o4755, 0o2711, 0o1777, 0, 0o600, 0o7777] as const
const owners = [0, 1, 100_000, 3_000_000_000, 65_534, 0, 2_097_152, 5] as const
const times = [0, 1, 1_600_000_000.5, -1.5, 1.123456789, 8_589_934_592, 253_402_300_800, 7] as const
const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')

/** Changes that make a node with a new name; they do nothing if it exists. */
const making = {
  file: ({ at, value }) => writeFileSync(at, contents[value]!, { flag: 'wx' }),
  directory: ({ at }) => mkdirSync(at),
  symlink: ({ at, value }) => symlinkSync(contents[value] === '' ? '\xfe' : contents[value]!, at),
  link: ({ at, other }) => linkSync(other, at),
  rename: ({ at, other }) => renameSync(other, at),
  fifo: ({ bytes }) => check(fileCalls.mknodat(-100, bytes, 0o010640, 0, 0)),
  device: ({ bytes, value }) =>
    check(fileCalls.mknodat(-100, bytes, (value < 4 ? 0o020000 : 0o060000) | 0o600, 259, value * 70_000 + 1)),
} satisfies Record<string, Action>

/** Changes of an existing node; they do nothing if it is of another kind. */
const changing = {
  remove: ({ at }) => rmSync(at, { recursive: true }),
  'remove all in it': ({ at }) => {
    for (const name of readdirSync(at, 'buffer'))
      rmSync(Buffer.concat([at, slash, name]), { recursive: true })
  },
  'make anew': ({ at, value }) => {
    const wasDirectory = lstatSync(at).isDirectory()
    rmSync(at, { recursive: true })
    // Half of the time as the same kind.
    if (wasDirectory === value < 4) mkdirSync(at)
    else writeFileSync(at, contents[value]!)
  },
  write: ({ at, value }) => onFile(at, () => writeFileSync(at, contents[value]!)),
  'write in secret': ({ at, bytes }) =>
    onFile(at, () => {
      const { mtimeNs } = lstatSync(at, { bigint: true })
      writeFileSync(
        at,
        readFileSync(at).map((byte) => byte ^ 1),
      )
      const nanoseconds = ((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
      const seconds = Number((mtimeNs - nanoseconds) / 1_000_000_000n)
      check(fileCalls.utimensat(-100, bytes, seconds, Number(nanoseconds)))
    }),
  append: ({ at, value }) => onFile(at, () => appendFileSync(at, contents[value]!)),
  sparse: ({ at, value }) => onFile(at, () => writeSparse(at, value)),
  'copy up': ({ at }) => {
    const found = lstatSync(at)
    if (!found.isSymbolicLink()) chmodSync(at, found.mode & 0o7777)
  },
  mode: ({ at, value }) => {
    if (!lstatSync(at).isSymbolicLink()) chmodSync(at, modes[value]!)
  },
  owner: ({ at, value }) => lchownSync(at, owners[value]!, owners[7 - value]!),
  time: ({ bytes, value }) => {
    const seconds = Math.floor(times[value]!)
    check(fileCalls.utimensat(-100, bytes, seconds, Math.round((times[value]! - seconds) * 1e9)))
  },
  attribute: ({ bytes, value }) => {
    const attribute = value < 4 ? 'user.note' : 'trusted.note'
    check(fileCalls.lsetxattr(bytes, attribute, Buffer.from(`${contents[value]}\xff\0`, 'latin1')))
  },
  capability: ({ at, bytes }) =>
    onFile(at, () => check(fileCalls.lsetxattr(bytes, 'security.capability', capability))),
} satisfies Record<string, Action>

const makingNames = Object.keys(making) as (keyof typeof making)[]
const changingNames = Object.keys(changing) as (keyof typeof changing)[]

// Not UTF-8, with a line end, of maximal length, and sorted between a name and its content.
const name = fc.constantFrom('a', 'b', 'a.b', '\xff\xfe', 'c\nd', 'n'.repeat(255))
const choices = { at: fc.nat({ max: 40 }), other: fc.nat({ max: 40 }), name, value: fc.nat({ max: 7 }) }

/** A change that makes a node. */
export const treeMaking: fc.Arbitrary<TreeChange> = fc.record({
  do: fc.constantFrom(...makingNames, 'directory' as const, 'file' as const),
  ...choices,
})

export const treeChange: fc.Arbitrary<TreeChange> = fc.oneof(
  treeMaking,
  fc.record({ do: fc.constantFrom(...changingNames), ...choices }),
)

/**
 * Applies it; does nothing if it does not fit the existing tree.
 * @param root of ASCII characters
 */
export function changeTree(root: string, change: TreeChange): void {
  const { paths, directories } = namesIn(root)
  const pick = (from: readonly string[], index: number) => from[index % from.length]!
  const existing = pick(change.do === 'remove all in it' ? directories : paths, change.at)
  const makes = change.do in making
  const bytes = makes ? `${pick(directories, change.at)}/${change.name}` : existing
  // The root itself stays.
  if (existing === root && (change.do === 'remove' || change.do === 'make anew')) return
  const place: Place = {
    at: Buffer.from(bytes, 'latin1'),
    bytes,
    other: Buffer.from(pick(paths, change.other), 'latin1'),
    value: change.value,
  }
  if (makes && lstatSync(place.at, { throwIfNoEntry: false }) !== undefined) return
  const action: Action = { ...making, ...changing }[change.do]
  try {
    action(place)
  } catch (error) {
    if (!expected.has((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

// Moving the root, links to directories, attributes that a kind of file cannot have, directories of an overlay that
// cannot be renamed, or not into themselves.
const expected = new Set(['EBUSY', 'EPERM', 'ENOTDIR', 'EXDEV', 'EINVAL', 'ENOTSUP'])
const slash = Buffer.from('/')

/** All names of a tree, in an order that does not depend on the file system. The root is at the end. */
function namesIn(root: string): { paths: string[]; directories: string[] } {
  const [paths, directories]: [string[], string[]] = [[], [root]]
  for (let index = 0; index < directories.length; index += 1)
    for (const each of readdirSync(Buffer.from(directories[index]!, 'latin1'), {
      encoding: 'latin1',
    }).sort()) {
      const path = `${directories[index]}/${each}`
      paths.push(path)
      if (lstatSync(Buffer.from(path, 'latin1')).isDirectory()) directories.push(path)
    }
  return { paths: [...paths, root], directories }
}

function onFile(at: Buffer, action: () => void): void {
  if (lstatSync(at).isFile()) action()
}

function writeSparse(at: Buffer, value: number): void {
  const fd = openSync(at, 'w')
  try {
    ftruncateSync(fd, 100_000)
    writeSync(fd, 'data', value * 10_000)
  } finally {
    closeSync(fd)
  }
}

function check(result: number): void {
  if (result < 0) throw Object.assign(new Error(`errno ${-result}`), { code: getSystemErrorName(result) })
}
