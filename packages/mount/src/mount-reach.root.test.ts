import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isNsboxError } from '@nsbox/errors'
import * as sys from '@nsbox/sys'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mountAll } from './mount.ts'
import { mountReach } from './mount-reach.ts'
import type { Mount } from './mount-record.ts'
import { overlayMount } from './overlay.ts'
import { isAtOrBelow } from './path-prefix.ts'
import { writtenTree } from './tree-mount.ts'
import { unmount } from './unmount.ts'

const numRuns = process.env.NSBOX_TEST_LONG ? 20_000 : 400
const directories = ['a', 'b', 'c', 'd']

/** Flags of words, as programs know them that keep the last of two. */
const flags: Readonly<Record<string, readonly [flag: number, on: boolean]>> = {
  ro: [sys.MS.RDONLY, true],
  rw: [sys.MS.RDONLY, false],
  bind: [sys.MS.BIND, true],
  rbind: [sys.MS.BIND | sys.MS.REC, true],
  remount: [sys.MS.REMOUNT, true],
  nosuid: [sys.MS.NOSUID, true],
}

/**
 * Mounts as runtimes do: options become flags or are joined to one text, and a bind mount gets its flags in a second
 * step.
 */
async function mountLikeRuntimes(mounts: readonly Mount[], target: string): Promise<void> {
  for (const { type, source, target: below = '', options } of mounts) {
    const place = join(target, below)
    let bits = 0
    for (const [flag, on] of options.flatMap((option) =>
      flags[option] === undefined ? [] : [flags[option]],
    ))
      bits = on ? bits | flag : bits & ~flag
    const data = options.filter((option) => flags[option] === undefined).join(',')
    if (type === 'bind') bits |= sys.MS.BIND
    sys.mount(source, place, type, bits, data === '' ? null : data)
    if ((bits & sys.MS.BIND) !== 0 && (bits & ~(sys.MS.BIND | sys.MS.REC)) !== 0)
      sys.mount(null, place, null, bits | sys.MS.REMOUNT, null)
  }
}

describeWith({ root: true, linux: true }, 'what mounts reach', () => {
  let scratch: Awaited<ReturnType<typeof scratchMount>>
  let target: string
  const at = (name: string) => join(scratch.path, name)

  beforeEach(async () => {
    scratch = await scratchMount()
    target = at('target')
    mkdirSync(target)
  })
  afterEach(() => scratch[Symbol.asyncDispose]())

  /** Empties the directories that mounts may use. */
  function refill(): void {
    for (const name of [...directories, 'w1', 'w2', 'linked'])
      rmSync(at(name), { recursive: true, force: true })
    for (const name of [...directories, 'w1', 'w2']) mkdirSync(join(at(name), 'sub'), { recursive: true })
  }

  /** All files in the directories, without those that overlays show. */
  const everything = () =>
    [...directories, 'w1', 'w2'].flatMap((name) =>
      readdirSync(at(name), { recursive: true, encoding: 'utf8' }).map((path) => join(at(name), path)),
    )

  const records = () => {
    const path = fc.constantFrom(...directories.map(at), ...directories.map((name) => join(at(name), 'sub')))
    const pair = (key: string) => path.map((value) => `${key}=${value}`)
    const word = fc.constantFrom('ro', 'rw', 'bind', 'rbind', 'remount', 'nosuid', 'userxattr', 'index=off')
    const work = fc.constantFrom(at('w1'), at('w2')).map((value) => `workdir=${value}`)
    const lower = fc.array(path, { minLength: 1, maxLength: 3 }).map((paths) => `lowerdir=${paths.join(':')}`)
    const joined = fc.tuple(word, fc.oneof(pair('upperdir'), word)).map((words) => words.join(','))
    const hidden = fc.tuple(path, pair('upperdir')).map(([value, upper]) => `lowerdir=${value},${upper}`)
    const option = fc.oneof(
      { weight: 4, arbitrary: word },
      { weight: 2, arbitrary: fc.oneof(pair('upperdir'), lower, work) },
      { weight: 1, arbitrary: fc.oneof(joined, hidden) },
    )
    const any = fc.record({
      type: fc.constantFrom('bind', 'overlay', 'none', 'tmpfs'),
      source: fc.oneof(path, fc.constant('overlay')),
      target: fc.constantFrom('', 'sub'),
      options: fc.array(option, { maxLength: 5 }),
    })
    // Most random combinations cannot be mounted.
    const bind = fc.record({
      type: fc.constantFrom('bind', 'none'),
      source: path,
      target: fc.constantFrom('', 'sub'),
      options: fc
        .array(fc.constantFrom('ro', 'rw', 'nosuid', 'remount'), { maxLength: 4 })
        .map((words) => ['rbind', ...words]),
    })
    const overlay = fc.tuple(lower, pair('upperdir'), work, fc.array(word, { maxLength: 3 })).map(
      ([lowerdir, upperdir, workdir, words]): Mount => ({
        type: 'overlay',
        source: 'overlay',
        options: [lowerdir, upperdir, workdir, ...words],
      }),
    )
    return fc.array(fc.oneof(any, bind, overlay), { minLength: 1, maxLength: 2 })
  }

  describe.each([
    ['mounted by this package', mountAll],
    ['mounted as runtimes do', mountLikeRuntimes],
  ] as const)('%s', (_, mount) => {
    test('E02 nothing can be written to that is not said to be writable', { timeout: 900_000 }, async () => {
      let written = 0
      await fc.assert(
        fc.asyncProperty(records(), async (mounts) => {
          refill()
          const before = new Set(everything())
          const writable = mountReach(mounts).filter((reached) => reached.writable)
          try {
            await mount(mounts, target)
            for (const place of ['', 'sub', 'sub/sub']) tryToWrite(join(target, place, 'written'))
          } catch (error) {
            // A mount that fails may have been begun.
            if (!isNsboxError(error)) throw error
          } finally {
            await unmount(target, { recursive: true, lazy: true })
          }
          const changed = everything().filter((path) => !before.has(path))
          if (changed.length > 0) written++
          for (const path of changed)
            expect(
              writable.some((reached) => isAtOrBelow(path, reached.path)),
              path,
            ).toBe(true)
        }),
        { numRuns, seed: 20261130, endOnFailure: true },
      )
      // Otherwise nothing is tested.
      expect(written).toBeGreaterThan(numRuns / 20)
    })
  })

  /** A write that the kernel refuses shows nothing. */
  function tryToWrite(path: string): void {
    try {
      writeFileSync(path, '')
    } catch (error) {
      if (!(error instanceof Error && 'errno' in error)) throw error
    }
  }

  test('E02 a layer is only ever written to what is said to be writable', () => {
    let targets = 0
    fc.assert(
      fc.property(records(), (mounts) => {
        let directory: string
        try {
          ;({ directory } = writtenTree(mounts))
        } catch (error) {
          if (isNsboxError(error)) return
          throw error
        }
        targets++
        const reached = mountReach(mounts).filter(({ writable }) => writable)
        expect(reached.map(({ path }) => path)).toContain(directory)
      }),
      { numRuns: 5000, seed: 20261130 },
    )
    expect(targets).toBeGreaterThan(100)
  })
})

describe('what a record reaches', () => {
  const reach = (...mounts: Mount[]) =>
    mountReach(mounts).map(({ path, writable, writableBelow }) => [path, writable, writableBelow])
  const bind = (source: string, ...options: string[]): Mount => ({ type: 'bind', source, options })

  test('of a bind mount is its source, and what is mounted in it although it is read-only', () => {
    expect(reach(bind('/a', 'rbind', 'rw'))).toEqual([['/a', true, true]])
    expect(reach(bind('/a', 'rbind', 'ro'))).toEqual([['/a', false, true]])
    expect(reach(bind('/a', 'rbind', 'rro'))).toEqual([['/a', false, false]])
    expect(reach(bind('/a', 'rbind', 'ro', 'rw'))).toEqual([['/a', true, true]])
    expect(reach(bind('/a', 'ro'), bind('/b', 'remount', 'rw'))).toEqual([
      ['/a', true, true],
      ['/b', true, true],
    ])
  })

  test('of an overlay is written to in its upper and work directories only', () => {
    expect(reach(overlayMount({ lower: ['/l', '/m:n'], upper: '/u', work: '/w' }))).toEqual([
      ['/l', false, false],
      ['/m:n', false, false],
      ['/u', true, true],
      ['/w', true, true],
    ])
    expect(mountReach([overlayMount({ lower: ['/l'] })], { changeable: true })[0]!.writable).toBe(false)
  })

  test.each<[string, Mount]>([
    [
      'an overlay that is a bind mount',
      { type: 'overlay', source: '/u', options: ['bind', 'upperdir=/elsewhere'] },
    ],
    [
      'two upper directories',
      { type: 'overlay', source: 'o', options: ['upperdir=/elsewhere', 'upperdir=/u'] },
    ],
    ['options in one', { type: 'overlay', source: 'o', options: ['lowerdir=/l,upperdir=/u'] }],
    [
      'a comma behind a backslash that is one',
      { type: 'overlay', source: 'o', options: ['lowerdir=/l\\\\,upperdir=/u'] },
    ],
    ['a type that is not known', { type: 'stacked', source: 's', options: ['dirs=/l=ro:/u'] }],
  ])('of %s is all that may be meant', (_, mount) => {
    expect(reach(mount)).toContainEqual(['/u', true, true])
  })

  test('of what is no path is nothing', () => {
    expect(reach(bind('', 'bind', 'remount', 'rw'), bind('/a\0b', 'rw'))).toEqual([])
    expect(reach({ type: 'proc', source: 'proc', options: ['nosuid', 'hidepid=2'] })).toEqual([])
  })

  test('is relative to where the mount is made', () => {
    expect(mountReach([bind('x/../y')], { base: '/bundle' })[0]!.path).toBe('/bundle/x/../y')
  })
})
