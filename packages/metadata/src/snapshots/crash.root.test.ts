import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openContentStore } from '@nsbox/content'
import type { Snapshotter } from '@nsbox/core/snapshots'
import { withTempMount } from '@nsbox/mount'
import { openOverlaySnapshotter } from '@nsbox/snapshots'
import { bundleSources, readTree, scratchMount, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, test } from 'vitest'
import { openMetadata } from '../open-metadata.ts'

/**
 * A process that makes chains of three snapshots and removes them again in a loop, in two namespaces at once, with
 * layers of its own. It prints `+namespace top` when one exists, `-namespace top` before it is removed. Each namespace
 * adopts half of the other's.
 */
const source = `
  import { join } from 'node:path'
  import { openContentStore } from '@nsbox/content'
  import { digestOf, nextChainId } from '@nsbox/oci'
  import { openOverlaySnapshotter } from '@nsbox/snapshots'
  import { writeFileSync } from 'node:fs'
  import { openMetadata } from '../open-metadata.ts'
  const path = process.argv[2]
  const content = await openContentStore({ root: join(path, 'content'), durability: 'relaxed' })
  const overlayfs = await openOverlaySnapshotter({ root: join(path, 'overlayfs'), durability: 'relaxed' })
  const metadata = await openMetadata({
    path: join(path, 'metadata.db'), content, snapshotters: new Map([['overlayfs', overlayfs]]),
    durability: 'relaxed', collector: { startupDelay: 0 },
  })
  // An applier whose layers are texts, which become file names.
  const applier = { async apply({ mediaType, digest, size }, [{ source, options }]) {
    const upper = options.find((option) => option.startsWith('upperdir='))
    writeFileSync(join(upper ? upper.slice(9) : source, mediaType), mediaType)
    return { diffId: digest, size, implied: [] }
  } }
  const worker = async (ns) => {
    for (let i = 0; ; i++) {
      const { leases } = metadata.namespace(ns)
      const { id } = await leases.create()
      const view = metadata.namespace(ns, { lease: id })
      const snapshotter = view.snapshotter('overlayfs')
      const maker = i % 2 ? 'both' : ns
      let parent
      for (const text of [maker + '-' + process.pid + '-' + i, maker + '-two', maker + '-three']) {
        const digest = digestOf(text)
        const chainId = nextChainId(parent, digest)
        try {
          await snapshotter.stat(chainId)
        } catch (error) {
          if (error.code !== 'not_found') throw error
          try {
            const writer = await view.content.writer({ ref: text, expected: digest })
            await writer.write(Buffer.from(text).subarray(writer.status().offset))
            await writer.commit()
          } catch (error) {
            if (error.code !== 'already_exists') throw error
          }
          const key = 'extract ' + i + ' ' + chainId
          const mounts = await snapshotter.prepare(key, parent)
          await view.applier(applier).apply({ mediaType: text, digest, size: text.length }, mounts)
          await snapshotter.commit(chainId, key)
        }
        parent = chainId
      }
      await snapshotter.update(parent, { merge: { 'containerd.io/gc.root': 'x' } })
      process.stdout.write('+' + ns + ' ' + parent + '\\n')
      await leases.delete(id)
      if (i % 3 === 0) continue
      process.stdout.write('-' + ns + ' ' + parent + '\\n')
      await snapshotter.remove(parent)
    }
  }
  await Promise.all([worker('a'), worker('b')])
`

/** Runs the process until it has printed this many lines, then kills it. @returns the snapshots that it says exist */
async function runAndKill(program: string, path: string, count: number): Promise<Set<string>> {
  const child = spawn(process.execPath, [program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  const there = new Set<string>()
  let said = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('+')) there.add(line.slice(1))
    if (line.startsWith('-')) there.delete(line.slice(1))
    if (++said === count) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(said).toBeGreaterThanOrEqual(count)
  return there
}

async function committedNames(snapshotter: Snapshotter): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of snapshotter.list(['kind==committed'])) names.push(name)
  return names
}

async function hasChildren(snapshotter: Snapshotter, name: string): Promise<boolean> {
  for await (const _ of snapshotter.list([`parent=="${name}"`])) return true
  return false
}

describeWith({ root: true, linux: true }, 'snapshots of a server that is killed', () => {
  test('stay whole wherever it is, and leave nothing that is not collected', {
    timeout: 120_000,
  }, async () => {
    await using scratch = await scratchMount()
    const { path } = scratch
    await using bundle = await tempDir('nsbox-crash')
    const program = await bundleSources(source, import.meta.dirname, bundle.path)
    const there = new Set<string>()
    for (const count of [4, 19, 9]) {
      for (const name of await runAndKill(program, path, count)) there.add(name)
      await using stack = new AsyncDisposableStack()
      const durability = 'relaxed'
      const content = stack.use(await openContentStore({ root: join(path, 'content'), durability }))
      const overlayfs = stack.use(await openOverlaySnapshotter({ root: join(path, 'overlayfs'), durability }))
      const snapshotters = new Map([['overlayfs', overlayfs]])
      const collector = { startupDelay: 3_600_000, scheduleDelay: 3_600_000 }
      const metadata = stack.use(
        await openMetadata({ path: join(path, 'metadata.db'), content, snapshotters, durability, collector }),
      )
      const tenants = ['a', 'b'].map((name) => ({ name, ...metadata.namespace(name) }))
      for (const { name } of tenants) {
        const { leases } = metadata.namespace(name)
        for (const { id } of await leases.list()) await leases.delete(id)
      }
      await metadata.collect()
      for (const { name, snapshotter } of tenants) {
        const names = await committedNames(snapshotter('overlayfs'))
        for (const said of there) if (said.startsWith(`${name} `)) expect(names).toContain(said.slice(2))
        const view = snapshotter('overlayfs')
        for (const top of names) {
          if (await hasChildren(view, top)) continue
          const tree = await withTempMount(await view.view('look', top), (root) => readTree(root))
          await view.remove('look')
          let layers = 0
          for (let at: string | undefined = top; at !== undefined; layers++) at = (await view.stat(at)).parent
          // The root, and a file of each layer.
          expect(tree.size).toBe(1 + layers)
        }
      }
      await metadata.collect()
      const backings = new Set<string>()
      for await (const { name } of overlayfs.list()) backings.add(name)
      const own = new Set<string>()
      for (const { snapshotter } of tenants)
        for (const name of await committedNames(snapshotter('overlayfs'))) own.add(name)
      for (const name of own) expect([...backings].some((key) => key.endsWith(`/${name}`))).toBe(true)
      for (const key of backings) expect(own).toContain(key.replace(/^[^/]+\/\d+\//, ''))
      await overlayfs.cleanup()
    }
    expect(there.size).toBeGreaterThan(3)
  })
})
