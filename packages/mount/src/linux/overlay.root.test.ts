import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import * as sys from '@nsbox/sys'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Mount } from '../mount-record.ts'
import { mountOf } from '../mount-table.ts'
import { overlayMount } from '../overlay.ts'
import { classicMount } from './classic-mount.ts'
import { mountOnLinux } from './mount.ts'
import { mountRequest } from './mount-request.ts'
import { openPlace } from './place.ts'
import { unmountOnLinux } from './unmount.ts'

const engines: Record<string, (mount: Mount, target: string) => Promise<unknown>> = {
  'with fsopen': (mount, target) => mountOnLinux(mount, target, {}),
  'with mount(2)': async (mount, target) => {
    const open = () => openPlace({ target, below: '', noFollow: false })
    using place = open()
    await classicMount(mountRequest(mount), place, open)
  },
  // As by clients that get the record: they join the options and leave the rest to the kernel.
  'by another program': async ({ type, source, options }, target) => {
    sys.mount(source, target, type, 0, options.join(','))
  },
}

describeWith({ root: true, linux: true }, 'overlays', () => {
  let scratch: Awaited<ReturnType<typeof scratchMount>>
  let target: string

  beforeEach(async () => {
    scratch = await scratchMount()
    target = join(scratch.path, 'target')
    await mkdir(target)
  })
  afterEach(() => scratch[Symbol.asyncDispose]())

  /** Makes lower layers, each with a file of its own, and one file that each has with its own content. */
  const lowers = (count: number, parent = scratch.path) =>
    Array.from({ length: count }, (_, index) => {
      const path = join(parent, `lower-${index}`)
      mkdirSync(path, { recursive: true })
      writeFileSync(join(path, `file-${index}`), '')
      writeFileSync(join(path, 'shared'), String(index))
      return path
    })

  const writable = (parent = scratch.path) => {
    const [upper, work] = [join(parent, 'upper'), join(parent, 'work')]
    mkdirSync(upper, { recursive: true })
    mkdirSync(work, { recursive: true })
    return { upper, work }
  }

  describe.each(Object.entries(engines))('%s', (_, mount) => {
    test('the first lower layer hides the next, and what is written goes to the upper one', async () => {
      const { upper, work } = writable()
      await mount(overlayMount({ lower: lowers(3), upper, work }, ['metacopy=on']), target)
      expect(readFileSync(join(target, 'shared'), 'utf8')).toBe('0')
      expect(readdirSync(target).sort()).toEqual(['file-0', 'file-1', 'file-2', 'shared'])
      writeFileSync(join(target, 'written'), '')
      expect(readdirSync(upper)).toEqual(['written'])
      expect((await mountOf(target)).superOptions).toContain('metacopy=on')
    })

    test('D09 directories of any name are used exactly', async () => {
      const name = fc
        .string({
          unit: fc.constantFrom('\\', ':', ',', ' ', '\n', '\t', '"', '=', '#', 'a', 'é', '.'),
          minLength: 1,
          maxLength: 12,
        })
        .filter((name) => name !== '.' && name !== '..')
      let run = 0
      await fc.assert(
        fc.asyncProperty(name, name, async (first, second) => {
          const parent = join(scratch.path, `run-${run++}`)
          const [lower, upper] = [join(parent, 'l', first), join(parent, 'u', second)]
          const layers = lowers(2, lower)
          const { work, ...rest } = { ...writable(upper) }
          await mount(overlayMount({ lower: layers, work, ...rest }), target)
          try {
            writeFileSync(join(target, 'written'), '')
            expect(readdirSync(join(upper, 'upper'))).toEqual(['written'])
            expect(readFileSync(join(target, 'shared'), 'utf8')).toBe('0')
          } finally {
            await unmountOnLinux(target, {})
          }
        }),
        { numRuns: 60 },
      )
    })
  })

  describe.each(Object.entries(engines).slice(0, 2))('%s', (_, mount) => {
    test('128 lower layers with long paths mount', async () => {
      const lower = lowers(128, join(scratch.path, 'long'.repeat(60)))
      await mount(overlayMount({ lower, ...writable() }), target)
      expect(readdirSync(target)).toHaveLength(129)
      expect(readFileSync(join(target, 'shared'), 'utf8')).toBe('0')
    })

    test('paths beyond the length of a setting mount', async () => {
      const parent = join(scratch.path, 'x'.repeat(200), 'y'.repeat(200))
      await mount(overlayMount({ lower: lowers(2, parent), ...writable(parent) }), target)
      writeFileSync(join(target, 'written'), '')
      expect(readdirSync(join(parent, 'upper'))).toEqual(['written'])
    })

    test('D09 a comma in a directory starts no option, even if the record does not escape it', async () => {
      const lower = lowers(2, join(scratch.path, 'a,upperdir=x')).join(':')
      await mount({ type: 'overlay', source: 'overlay', options: [`lowerdir=${lower}`] }, target)
      expect(readdirSync(target)).toContain('file-0')
      expect((await mountOf(target)).superOptions.filter((option) => option.startsWith('upperdir'))).toEqual(
        [],
      )
    })
  })

  test('500 lower layers mount where the kernel takes them one by one, and 501 are refused', async () => {
    const lower = lowers(500)
    await mountOnLinux(overlayMount({ lower, ...writable() }), target, {})
    expect(readdirSync(target)).toHaveLength(501)
    const more = overlayMount({ lower: [...lower, scratch.path] })
    await expect(mountOnLinux(more, target, {})).rejects.toMatchObject({ code: 'invalid_argument' })
  })

  test('D09 layers that do not fit into a page are refused by mount(2), not cut off', async () => {
    const mount = engines['with mount(2)']!
    await expect(mount(overlayMount({ lower: lowers(500) }), target)).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })
})
