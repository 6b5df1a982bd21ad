import { chmodSync, chownSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { applyLayer, writeLayer } from '@nsbox/diff'
import { errorCode, isNsboxError } from '@nsbox/errors'
import { listMounts, mount, unmount } from '@nsbox/mount'
import { mediaTypes } from '@nsbox/oci'
import { compareTrees, readTree, scratchMount, type TarEntry, tar } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { copyTreeInThread, removeTree, treeUsage } from '@nsbox/trees'
import { expect, test } from 'vitest'
import {
  type AttackedTree,
  type Attacker,
  attackFromContainer,
  attackFromHost,
  type Deeds,
  writeAttack,
} from './tree-attackers.ts'

const rounds = process.env.NSBOX_TEST_LONG === '1' ? 10_000 : 250
const uid = 51_234
const secret = 'nobody may read this'
const directories = 8
const files = 12
/** More than any attacked tree has. */
const sentinels = 3000

/** Fills a directory of the host that nobody may touch, with the names that the attacked tree has, among others. */
function makeOutside(path: string): void {
  mkdirSync(path)
  const fill = (directory: string, count: number) => {
    for (let n = 0; n < count; n++) writeFileSync(join(directory, `f${n}`), secret)
    for (let n = 0; n < 40; n++) writeFileSync(join(directory, `precious${n}`), secret)
  }
  fill(path, sentinels - 1000)
  mkdirSync(join(path, 'sub'))
  fill(join(path, 'sub'), 100)
  for (let n = 0; n < directories; n++) {
    mkdirSync(join(path, `d${n}`))
    fill(join(path, `d${n}`), 100)
  }
}

/** Makes a tree where no attacker gets to, and moves it to its place. */
function makeTree(stage: string, place: string): void {
  const ours = (path: string) => {
    mkdirSync(path)
    chmodSync(path, 0o777)
    chownSync(path, uid, uid)
  }
  ours(stage)
  for (let d = 0; d < directories; d++) {
    ours(join(stage, `d${d}`))
    ours(join(stage, `d${d}/sub`))
    for (let f = 0; f < files; f++) writeFileSync(join(stage, `d${d}/f${f}`), 'x')
    writeFileSync(join(stage, `d${d}/sub/f1`), 'x')
  }
  renameSync(stage, place)
}

/** A layer with the names of the tree, that hides some and replaces others. */
function* layer(): Generator<TarEntry> {
  for (let d = 0; d < directories; d++) {
    if (d % 3 === 0) yield { name: `d${d}/.wh..wh..opq`, content: '' }
    if (d % 3 === 1) yield { name: `.wh.d${d}`, content: '' }
    yield { type: 'directory', name: `d${d}/`, uid, gid: uid, mode: 0o777 }
    yield { name: `d${d}/f2`, content: 'of the layer' }
    yield { name: `d${d}/sub/f1`, content: 'of the layer' }
    yield { type: 'symlink', name: `d${d}/link`, target: 'f1' }
    yield { type: 'hardlink', name: `d${d}/linked`, target: `d${d}/f2` }
  }
}

interface Arena extends AttackedTree, AsyncDisposable {
  readonly tree: string
  /** Where attackers do not get to. */
  readonly own: (name: string) => string
  /** A tree that is there when it is asked for. */
  make(): void
  /** Puts away what is left of a tree, and removes it where nobody gets to it. */
  putAway(): Promise<void>
  begin(...attackers: readonly Attacker[]): void
  /** Ends all attackers. @returns the sum of what they have done */
  end(): Promise<Deeds>
}

async function openArena(): Promise<Arena> {
  const scratch = await scratchMount()
  chmodSync(scratch.path, 0o711)
  const own = (name: string) => join(scratch.path, 'own', name)
  const directory = join(scratch.path, 'shared')
  const outside = join(scratch.path, 'outside')
  mkdirSync(own('.'), { mode: 0o700 })
  mkdirSync(directory)
  chmodSync(directory, 0o777)
  makeOutside(outside)
  await writeAttack(directory)
  const attackers: Attacker[] = []
  let made = 0
  const end = async () => {
    const deeds: Record<string, number> = {}
    for (const attacker of attackers.splice(0))
      for (const [kind, count] of Object.entries(await attacker.end()))
        deeds[kind] = (deeds[kind] ?? 0) + count
    return deeds
  }
  const tree = join(directory, 'tree')
  return {
    directory,
    outside,
    tree,
    own,
    make: () => makeTree(own(`stage${made++}`), tree),
    async putAway() {
      const left = own(`left${made++}`)
      renameSync(tree, left)
      // Somebody who had one of its directories open may still mount on it.
      for (let attempt = 1; ; attempt++) {
        await unmount(left, { recursive: true, lazy: true })
        try {
          return await removeTree(left)
        } catch (error) {
          if (errorCode(error) !== 'failed_precondition' || attempt === 10) throw error
        }
      }
    },
    begin: (...more) => void attackers.push(...more),
    end,
    async [Symbol.asyncDispose]() {
      await end()
      await scratch[Symbol.asyncDispose]()
    },
  }
}

/** What is done to a tree while others change it. Each fails with a code or does what it says, within the tree. */
function operations({ tree, own, outside }: Arena): Readonly<Record<string, () => Promise<void>>> {
  return {
    async usage() {
      expect((await treeUsage(tree)).inodes).toBeLessThan(sentinels - 1000)
    },
    async copy() {
      const to = own('copy')
      mkdirSync(to)
      try {
        await copyTreeInThread({ from: tree, to, scratch: own('links') })
      } finally {
        expect((await treeUsage(to)).inodes).toBeLessThan(sentinels - 1000)
        expect(await holdsSecret(to)).toBe(false)
        await removeTree(to)
        await removeTree(own('links'))
      }
    },
    async comparison() {
      const chunks: Buffer[] = []
      try {
        for await (const chunk of writeLayer({ upper: tree, form: 'plain' })) chunks.push(Buffer.from(chunk))
      } finally {
        expect(Buffer.concat(chunks).includes(secret)).toBe(false)
      }
    },
    async unpacking() {
      await applyLayer({
        layer: { path: own('layer.tar'), size: layerSize },
        mediaType: mediaTypes.ociLayer,
        root: tree,
        form: 'plain',
        programs: false,
      })
    },
    async mounting() {
      try {
        const target = `d${Math.floor(Math.random() * directories)}/sub`
        await mount({ type: 'bind', source: own('quiet'), options: ['rbind', 'ro'], target }, tree)
      } finally {
        const elsewhere = await listMounts({ under: outside })
        expect(elsewhere).toEqual([])
        await unmount(tree, { recursive: true, lazy: true, noFollow: true })
      }
    },
    async removal() {
      await removeTree(tree)
    },
  }
}

let layerSize = 0

async function holdsSecret(path: string): Promise<boolean> {
  for await (const chunk of writeLayer({ upper: path, form: 'plain' }))
    if (Buffer.from(chunk).includes(secret)) return true
  return false
}

/**
 * Makes a tree, does one of the others to it and removes it, or puts away what could not be removed.
 * @param failures how often each operation has failed, by code
 */
async function round(n: number, arena: Arena, failures: Map<string, number>): Promise<void> {
  arena.make()
  const { removal, ...others } = operations(arena)
  const other = Object.entries(others)[n % Object.keys(others).length]!
  for (const [name, operation] of [other, ['removal', removal!] as const])
    try {
      await operation()
    } catch (error) {
      if (!isNsboxError(error)) throw error
      const what = `${name} ${error.code}`
      failures.set(what, (failures.get(what) ?? 0) + 1)
      if (name === 'removal') await arena.putAway()
    }
}

describeWith(
  { root: true, linux: true, programs: ['perl', 'runc', 'python3'] },
  'trees that others change meanwhile',
  () => {
    test(`E01 in ${rounds} rounds no file outside is touched, whatever users and containers put in its way`, {
      timeout: 60_000 + rounds * 500,
    }, async () => {
      await using arena = await openArena()
      await writeFile(arena.own('layer.tar'), await buffer(tar(layer())))
      layerSize = (await buffer(tar(layer()))).length
      await mkdir(arena.own('quiet'))
      const before = await readTree(arena.outside)
      arena.begin(
        attackFromHost(arena, 'names', uid),
        attackFromHost(arena, 'mounts'),
        await attackFromContainer(arena, arena.own('.'), uid),
      )
      const failures = new Map<string, number>()
      for (let n = 0; n < rounds; n++) await round(n, arena, failures)
      const deeds = await arena.end()
      console.log(`in ${rounds} rounds`, deeds, Object.fromEntries([...failures].sort()))
      expect(compareTrees(before, await readTree(arena.outside))).toEqual([])
      expect(before.size).toBeGreaterThan(sentinels)
      // Whatever somebody has changed is told as that.
      expect([...failures.keys()].filter((what) => /unknown|internal/.test(what))).toEqual([])
      // They were there, and at it.
      for (const kind of ['links', 'back', 'across', 'away', 'mounts'])
        expect([kind, deeds[kind]]).toEqual([kind, expect.any(Number)])
      expect(deeds.links).toBeGreaterThan(rounds)
    })
  },
)
