import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type BuiltImage,
  buildCorpus,
  buildImage,
  busyboxLayer,
  compareTrees,
  pushImage,
  readTree,
  startProcess,
  startRegistry,
  type TreeEntry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, it } from 'vitest'
import { program, startServer, type TestServer } from './programs.ts'

const long = Boolean(process.env.NSBOX_TEST_LONG)
const kills = long ? 50 : 4
const minutes = long ? 60 : 4

/** A directory in the corpus needs a whole Debian system; the quick run takes an image of a few layers. */
async function imageIn(directory: string): Promise<BuiltImage> {
  if (long) return (await buildCorpus(directory)).eight
  const files = (layer: number) =>
    Array.from({ length: 300 }, (_, index) => ({
      type: 'file' as const,
      name: `usr/share/set-${layer}/${index % 10}/${index}`,
      content: `${layer} ${index}\n`.repeat(500),
      uid: index,
      mtime: 1_600_000_000 + index,
    }))
  const layers = [await busyboxLayer(), ...[1, 2, 3].map((layer) => ({ entries: files(layer) }))]
  return await buildImage(directory, { layers })
}

const needs = ['docker-registry', 'skopeo', ...(long ? ['debootstrap', 'python3', 'setcap'] : [])]

describeWith({ root: true, linux: true, programs: needs }, 'a server that is killed during a pull', () => {
  it(
    `leaves nothing that the next one does not finish or remove, at any of ${kills} random moments`,
    async () => {
      const began = BigInt(Date.now()) * 1_000_000n
      await using resources = new AsyncDisposableStack()
      const directory = resources.use(await tempDir('nsbox-killed')).path
      const registry = resources.use(await startRegistry())
      await mkdir(join(directory, 'image'))
      const image = await imageIn(join(directory, 'image'))
      const { reference } = await pushImage(image, registry, 'library/killed:1')
      const server = resources.use(await startServer())
      const rootfs = join(directory, 'rootfs')
      await mkdir(rootfs)

      const duration = await timeOf(() => pull(server, reference))
      const expected = await treeOf(server, reference, rootfs)
      expect(expected.size).toBeGreaterThan(1000)
      await expectEmptyAfterRemoval(server, reference)
      // A directory that no layer describes has the time at which it was made.
      const ignore = (name: string, field: string) =>
        field === 'mtime' && BigInt(expected.get(name)?.mtime ?? 0) > began

      for (let kill = 0; kill < kills; kill++) {
        const moment = (Math.random() * 1.1 * duration) | 0
        const context = `kill ${kill} after ${moment} of ${duration | 0} ms`
        const args = ['-a', server.address, 'pull', '--plain-http', reference]
        await using pulling = await startProcess(program('dist'), args)
        await sleep(moment)
        await server.kill()
        await pulling.exited
        await server.restart()
        await pull(server, reference)
        const tree = await treeOf(server, reference, rootfs)
        expect(compareTrees(tree, expected, { ignore }), context).toEqual([])
        expect(await strayMounts(server), context).toEqual([])
        await expectEmptyAfterRemoval(server, reference)
      }
    },
    minutes * 60_000,
  )
})

async function timeOf(body: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await body()
  return performance.now() - start
}

async function pull(server: TestServer, reference: string): Promise<void> {
  const { code, stderr } = await server.dist(['pull', '--plain-http', reference], { timeout: 300_000 })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

async function treeOf(
  server: TestServer,
  reference: string,
  target: string,
): Promise<ReadonlyMap<string, TreeEntry>> {
  const { code, stderr } = await server.ctr(['images', 'mount', reference, target])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  try {
    return await readTree(target)
  } finally {
    const { code, stderr } = await server.ctr(['images', 'unmount', '--rm', target])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  }
}

/** Mounts at or of anything of the server's. */
async function strayMounts({ root, address }: TestServer): Promise<string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8')
  const places = [root, address.slice(0, address.lastIndexOf('/'))]
  return table.split('\n').filter((line) => places.some((place) => line.includes(place)))
}

/** Removes the image and looks at the disk: nothing of it is left, nor of any attempt to pull it. */
async function expectEmptyAfterRemoval(server: TestServer, reference: string): Promise<void> {
  const { code, stderr } = await server.ctr(['images', 'rm', '--sync', reference], { timeout: 120_000 })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  for (const { args, says } of [
    { args: ['snapshots', 'ls', '--json'], says: '[]' },
    { args: ['leases', 'ls', '-q'], says: '' },
    { args: ['content', 'ls', '-q'], says: '' },
    { args: ['content', 'active', '--json'], says: '[]' },
  ]) {
    const { stdout } = await server.ctr(args)
    expect({ args, stdout: stdout.trim() }).toEqual({ args, stdout: says })
  }
  const left = async () => {
    const places = ['content/blobs/sha256', 'content/ingest', 'snapshots/overlayfs/snapshots']
    const found = await Promise.all(places.map((place) => readdir(join(server.root, place))))
    return found.flat()
  }
  // What a killed server left is cleaned up beside other work, after the start.
  await expect.poll(left, { interval: 100 }).toEqual([])
}
