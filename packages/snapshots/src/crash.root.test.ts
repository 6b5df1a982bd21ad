import { link, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { withTempMount } from '@nsbox/mount'
import {
  bundleSources,
  type FaultyRun,
  type FaultyRuns,
  faultsEverywhere,
  type SystemCall,
  scratchMount,
  tempDir,
  traceRun,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import type { LocalSnapshotter } from './local-snapshotter.ts'
import type { OpenSnapshotterOptions } from './open-local-snapshotter.ts'
import { openNativeSnapshotter } from './open-native-snapshotter.ts'
import { openOverlaySnapshotter } from './open-overlay-snapshotter.ts'

interface Kind {
  readonly name: string
  readonly open: (options: OpenSnapshotterOptions) => Promise<LocalSnapshotter>
  /** The module that has `open`. */
  readonly module: string
  /** Source code of the program that makes `top` on `base`. */
  readonly prepare: string
  readonly commit: string
  /** The calls that change the disk, apart from mounting and the writes between the database's syncs. */
  readonly changing: readonly string[]
  /** How many of them the program makes at least. */
  readonly places: number
  /** The calls for which the disk may be full, and the program's steps with them. */
  readonly filling: readonly string[]
  readonly failing: readonly string[]
}

const kinds: readonly Kind[] = [
  {
    name: 'overlay',
    open: openOverlaySnapshotter,
    module: './open-overlay-snapshotter.ts',
    prepare: "await snapshotter.prepare('key', undefined)",
    commit: `
      const { path } = await snapshotter.layerDirectory('key')
      mkdirSync(path + '/etc', { recursive: true })
      writeFileSync(path + '/etc/file', 'top')
      await snapshotter.commit('top', 'key', { parent: 'base', impliedDirectories: ['etc'] })`,
    changing: [
      'chmod',
      'fdatasync',
      'lsetxattr',
      'mkdir',
      'rename',
      'rmdir',
      'syncfs',
      'unlink',
      'utimensat',
    ],
    places: 20,
    filling: ['mkdir', 'rename'],
    failing: ['open', 'prepare', 'child'],
  },
  {
    name: 'native',
    open: openNativeSnapshotter,
    module: './open-native-snapshotter.ts',
    prepare: "await snapshotter.prepare('key', 'base')",
    commit: `
      const [{ source }] = await snapshotter.mounts('key')
      writeFileSync(source + '/etc/file', 'top')
      await snapshotter.commit('top', 'key')`,
    // The rest is as above.
    changing: ['copy_file_range', 'linkat', 'mkdirat', 'syncfs'],
    places: 8,
    filling: ['copy_file_range', 'mkdirat'],
    failing: ['prepare', 'child'],
  },
]

/** Prepares, commits, changes labels and removes in a given root, and prints each step that was answered. */
const bundledProgram = ({ open, module, prepare, commit }: Kind, directory: string) =>
  bundleSources(
    `import { mkdirSync, writeFileSync, writeSync } from 'node:fs'
    import { errorCode } from '@nsbox/errors'
    import { ${open.name} } from '${module}'
    let snapshotter
    const steps = {
      async open() {
        snapshotter = await ${open.name}({ root: process.argv[2] })
      },
      async prepare() {
        ${prepare}
      },
      async commit() {
        ${commit}
      },
      async child() {
        await snapshotter.prepare('child', 'top')
      },
      async update() {
        await snapshotter.update('base', { merge: { a: '2' } })
      },
      async remove() {
        await snapshotter.remove('old')
      },
      async cleanup() {
        await snapshotter.cleanup()
      },
    }
    for (const [name, step] of Object.entries(steps)) {
      for (let attempt = 1; attempt <= 2; attempt++) {
        try {
          await step()
          writeSync(1, name + ' done\\n')
          break
        } catch (error) {
          // The program's own files.
          const code = error.code === 'ENOSPC' ? 'resource_exhausted' : errorCode(error)
          writeSync(1, name + ' ' + code + '\\n')
        }
      }
    }
    process.exit()`,
    import.meta.dirname,
    directory,
  )

async function prepare({ open }: Kind, root: string): Promise<void> {
  await using snapshotter = await open({ root, durability: 'relaxed' })
  for (const [name, parent] of [
    ['base', undefined],
    ['old', 'base'],
  ] as const) {
    const [mounted] = await snapshotter.prepare('key', parent)
    if (parent === undefined) {
      await mkdir(join(mounted!.source, 'etc'), { mode: 0o711 })
      await writeFile(join(mounted!.source, 'etc/base'), 'base')
      await link(join(mounted!.source, 'etc/base'), join(mounted!.source, 'etc/linked'))
    }
    await snapshotter.commit(name, 'key', { labels: { a: '1' } })
  }
  await mkdir(join(root, 'snapshots/77/fs'), { recursive: true })
}

/** Compares what is on the disk with what was answered, then cleans up and looks for leftovers. */
async function check({ open }: Kind, root: string, said: readonly string[]): Promise<void> {
  await using snapshotter = await open({ root, durability: 'relaxed' })
  const infos = new Map<string, { kind: string; labels: Record<string, string> }>()
  for await (const { name, kind, labels } of snapshotter.list())
    infos.set(name, { kind, labels: { ...labels } })
  expect(infos.get('base')).toMatchObject({ kind: 'committed' })
  if (said.includes('commit done')) expect(infos.get('top')).toMatchObject({ kind: 'committed' })
  else if (said.includes('prepare done')) expect(infos.has('top') || infos.has('key')).toBe(true)
  if (said.includes('child done')) expect(infos.get('child')).toMatchObject({ kind: 'active' })
  if (said.includes('update done')) expect(infos.get('base')?.labels).toEqual({ a: '2' })
  if (said.includes('remove done')) expect(infos.has('old')).toBe(false)
  if (infos.has('old'))
    await withTempMount(await snapshotter.view('view', 'old'), async (path) => {
      expect(await readFile(join(path, 'etc/base'), 'utf8')).toBe('base')
    })
  for (const name of ['top', 'child'].filter((known) => infos.has(known))) {
    const mounts =
      name === 'top' ? await snapshotter.view('view of top', 'top') : await snapshotter.mounts(name)
    await withTempMount(mounts, async (path) => {
      expect(await readFile(join(path, 'etc/file'), 'utf8')).toBe('top')
      expect(await readFile(join(path, 'etc/base'), 'utf8')).toBe('base')
    })
  }
  let count = 0
  for await (const _ of snapshotter.list()) count++
  await snapshotter.cleanup()
  expect(await readdir(join(root, 'trash'))).toEqual([])
  expect(await readdir(join(root, 'snapshots'))).toHaveLength(count)
  expect(await readdir(root)).not.toContain('probe')
}

for (const kind of kinds)
  describeWith(
    { root: true, linux: true, programs: ['strace'] },
    `what the ${kind.name} snapshotter answered`,
    () => {
      test('is on the disk before: files, then names', async () => {
        await using dir = await scratchMount()
        const root = join(dir.path, 'root')
        await prepare(kind, root)
        const { calls } = await traceRun(['syncfs', 'fdatasync', 'rename', 'write'], process.execPath, [
          await bundledProgram(kind, dir.path),
          root,
        ])
        const said = (text: string) =>
          calls.find(({ name, args }) => name === 'write' && args.includes(text))!
        const within = (name: string, from: SystemCall, to: SystemCall) =>
          calls.find(
            (call) => call.name === name && call.entered > from.entered && call.returned < to.entered,
          )
        const [prepared, committed] = [said('prepare done'), said('commit done')]
        const files = within('syncfs', prepared, committed)
        expect(files).toMatchObject({ result: '0' })
        expect(within('fdatasync', files!, committed)).toMatchObject({ result: '0' })
        const removed = within('rename', said('update done'), said('remove done'))
        expect(removed!.args).toContain('/trash/')
        expect(within('fdatasync', said('update done'), removed!)).toMatchObject({ result: '0' })
        expect(within('fdatasync', said('open done'), prepared)).toMatchObject({ result: '0' })
      })

      /** Runs the program once for each call, on a snapshotter of its own, and checks what is left. */
      async function everywhere(
        calls: readonly string[],
        fault: FaultyRuns['fault'],
        body: (result: FaultyRun) => void,
      ): Promise<number> {
        await using dir = await scratchMount()
        await using programs = await tempDir('nsbox-snapshots')
        return await faultsEverywhere({
          directory: dir.path,
          program: await bundledProgram(kind, programs.path),
          calls,
          fault,
          // Probing is the same at every opening, and needs no test at each of its calls.
          spares: (args) => /\/probe\/./.test(args),
          prepare: (root) => prepare(kind, root),
          async check(root, result) {
            body(result)
            await check(kind, root, result.said)
          },
        })
      }

      test('survives a kill at any call that changes the disk', { timeout: 600_000 }, async () => {
        let killed = 0
        const count = await everywhere(kind.changing, 'signal=KILL', ({ signal }) => {
          if (signal === 'SIGKILL') killed++
        })
        expect(count).toBeGreaterThan(kind.places)
        expect(killed).toBeGreaterThan(kind.places)
      })

      test('D21 survives a full disk at any directory that is made or moved', {
        timeout: 600_000,
      }, async () => {
        const failed = new Set<string>()
        await everywhere(kind.filling, 'error=ENOSPC', (result) => {
          if (!result.failed) return
          for (const line of result.said.filter((text) => !text.endsWith(' done'))) {
            // The failed step had taken effect.
            if (/^(commit|remove) not_found$|^(prepare|child) already_exists$/.test(line)) continue
            expect(line.split(' ')[1]).toBe('resource_exhausted')
            failed.add(line.split(' ')[0]!)
          }
        })
        expect([...failed]).toEqual(expect.arrayContaining([...kind.failing]))
      })
    },
  )
