import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openContentStore } from '@nsbox/content'
import { readBlob } from '@nsbox/core/content'
import { digestOf } from '@nsbox/oci'
import { bundleSources, tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { type Metadata, openMetadata } from './open-metadata.ts'

/**
 * A process that makes images and removes them again in a loop, in two namespaces at once. It prints `+name` when an
 * image exists and `-name` before it is removed. Each image has a manifest and a layer of its own and one layer that
 * all share.
 */
const source = `
  import { join } from 'node:path'
  import { openContentStore } from '@nsbox/content'
  import { digestOf } from '@nsbox/oci'
  import { openMetadata } from './open-metadata.ts'
  const content = await openContentStore({ root: join(process.argv[2], 'content'), durability: 'relaxed' })
  const metadata = await openMetadata({
    path: join(process.argv[2], 'metadata.db'), content, durability: 'relaxed', collector: { startupDelay: 0 },
  })
  const put = async (store, text, labels) => {
    const expected = digestOf(text)
    try {
      const writer = await store.writer({ ref: text, expected })
      await writer.write(Buffer.from(text).subarray(writer.status().offset))
      await writer.commit({ labels })
    } catch (error) {
      if (error.code !== 'already_exists') throw error
    }
    return expected
  }
  const worker = async (ns) => {
    const { leases, images } = metadata.namespace(ns)
    for (let i = 0; ; i++) {
      const name = ns + '-' + process.pid + '-' + i
      const { id } = await leases.create()
      const store = metadata.namespace(ns, { lease: id }).content
      const [shared, own] = [await put(store, 'layer of all'), await put(store, 'layer of ' + name)]
      const labels = { 'containerd.io/gc.ref.content.l.0': shared, 'containerd.io/gc.ref.content.l.1': own }
      const digest = await put(store, 'manifest of ' + name, labels)
      await images.create({ name, target: { mediaType: 'x/y', digest, size: 1 } })
      process.stdout.write('+' + name + '\\n')
      await leases.delete(id)
      if (i % 3 === 0) continue
      process.stdout.write('-' + name + '\\n')
      await images.delete(name, { sync: i % 2 === 0 })
      if (i % 2 === 0) process.stdout.write('!' + name + '\\n')
    }
  }
  await Promise.all([worker('a'), worker('b')])
`

/** Runs the process until it has printed this many lines, then kills it; the lines are put into the sets. */
async function runAndKill(
  program: string,
  path: string,
  count: number,
  { made, doubtful, gone }: { made: Set<string>; doubtful: Set<string>; gone: Set<string> },
): Promise<void> {
  const child = spawn(process.execPath, [program, path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })
  let said = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const name = line.slice(1)
    if (line.startsWith('+')) made.add(name)
    if (line.startsWith('-') && made.delete(name)) doubtful.add(name)
    if (line.startsWith('!') && doubtful.delete(name)) gone.add(name)
    if (++said === count) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(said).toBeGreaterThanOrEqual(count)
}

async function text(metadata: Metadata, namespace: string, expected: string): Promise<string> {
  const { content } = metadata.namespace(namespace)
  const descriptor = { digest: digestOf(expected), size: expected.length }
  return Buffer.from(await readBlob(content, descriptor, { limit: 1000 })).toString()
}

test('kill -9 at any moment takes no answer back, loses no byte and leaves nothing that is not collected', {
  timeout: 120_000,
}, async () => {
  await using directory = await tempDir('nsbox-crash')
  const { path } = directory
  await using bundle = await tempDir('nsbox-crash')
  const program = await bundleSources(source, import.meta.dirname, bundle.path)
  const said = { made: new Set<string>(), doubtful: new Set<string>(), gone: new Set<string>() }
  for (const count of [7, 60, 23, 41, 100]) {
    await runAndKill(program, path, count, said)
    await using content = await openContentStore({ root: join(path, 'content'), durability: 'relaxed' })
    await using metadata = await openMetadata({
      path: join(path, 'metadata.db'),
      content,
      // Nothing must be collected before the check.
      collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
    })
    for (const ns of ['a', 'b']) {
      const names = (await metadata.namespace(ns).images.list()).map(({ name }) => name)
      for (const name of said.made) if (name.startsWith(ns)) expect(names).toContain(name)
      for (const name of said.gone) expect(names).not.toContain(name)
      for (const name of names) {
        for (const blob of [`manifest of ${name}`, `layer of ${name}`, 'layer of all']) {
          expect(await text(metadata, ns, blob)).toBe(blob)
        }
      }
      for (const { id } of await metadata.namespace(ns).leases.list())
        await metadata.namespace(ns).leases.delete(id)
      for (const { ref } of await metadata.namespace(ns).content.statuses()) {
        await metadata.namespace(ns).content.abort(ref)
      }
    }
    await metadata.collect()
    const rows = new Set<string>()
    for (const ns of ['a', 'b']) {
      for await (const { digest } of metadata.namespace(ns).content.list()) rows.add(digest)
    }
    const files: string[] = []
    for await (const { digest } of content.list()) files.push(digest)
    expect(files).toEqual([...rows].sort())
    expect(await content.statuses()).toEqual([])
    const images = (await metadata.namespace('a').images.list()).concat(
      await metadata.namespace('b').images.list(),
    )
    expect(rows.size).toBe(images.length === 0 ? 0 : 2 * images.length + 1)
  }
  expect(said.made.size).toBeGreaterThan(20)
  expect(said.gone.size).toBeGreaterThan(10)
})
