import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { mount, overlayMount } from '@nsbox/mount'
import { digestOf, mediaTypes } from '@nsbox/oci'
import {
  compareTrees,
  hostPlatform,
  readTree,
  runOrThrow,
  scratchMount,
  startContainerd,
  stockCtr,
  type TreeEntry,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { layerBytes } from '../testing/layer-bytes.ts'
import { changeTree, treeChange, treeMaking } from '../testing/tree-change.ts'

/** Two layers, the second from an overlay's upper directory, and the resulting tree. */
interface Layers {
  readonly layers: readonly Buffer[]
  readonly tree: ReadonlyMap<string, TreeEntry>
}

/** Cases that such programs often get wrong, and random ones. */
async function makeLayers(root: string, { chance }: { chance: boolean }): Promise<Layers> {
  const at = (name: string) => join(root, name)
  for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(name))
  const some = (changes: typeof treeChange, seed: number) =>
    chance ? fc.sample(changes, { numRuns: 60, seed }) : []
  if (!chance) await runOrThrow('sh', ['-ec', before], { cwd: at('lower') })
  for (const change of some(treeMaking, 1)) changeTree(at('lower'), change)
  const layers = [await layerBytes({ upper: at('lower'), form: 'plain' })]
  const layersOfOverlay = { lower: [at('lower')], upper: at('upper'), work: at('work') }
  await mount(overlayMount(layersOfOverlay, ['index=off']), at('merged'))
  if (!chance) await runOrThrow('sh', ['-ec', change], { cwd: at('merged') })
  for (const each of some(treeChange, 2)) changeTree(at('merged'), each)
  layers.push(await layerBytes({ lower: at('lower'), upper: at('upper'), form: 'overlay' }))
  return { layers, tree: await readTree(at('merged')) }
}

const before = `
mkdir -p usr/bin d/sub gone-directory many; ln -s usr/bin bin
for name in usr/bin/tool d/one d/two d/sub/three gone gone-directory/x; do echo $name > $name; done
for number in 1 2 3; do echo $number > many/$number; done
chmod 4755 usr/bin/tool; ln usr/bin/tool usr/bin/tool2; mkfifo fifo; mknod null c 1 3
echo long > "$(printf 'n%.0s' $(seq 255))"; chown 4000000000:3000000 d/two
touch -d '2001-02-03 04:05:06.123456789' d/one; touch -d '1960-01-01' d/sub/three
`
const change = `
rm -r d; mkdir d; echo new > d/new; rm gone; rm -r gone-directory; rm many/*
rm bin; mkdir bin; echo inside > bin/inside; echo more >> usr/bin/tool2
rm "$(printf 'n%.0s' $(seq 255))"; ln fifo fifo2; chmod 700 usr
`

/** Writes an image of these layers, as a layout directory. */
async function writeImage(layout: string, layers: readonly Buffer[]): Promise<void> {
  await mkdir(join(layout, 'blobs/sha256'), { recursive: true })
  const put = async (bytes: Buffer, mediaType: string) => {
    const digest = digestOf(bytes)
    await writeFile(join(layout, 'blobs', digest.replace(':', '/')), bytes)
    return { mediaType, digest, size: bytes.length }
  }
  const json = (value: object) => Buffer.from(JSON.stringify(value))
  const descriptors = await Promise.all(layers.map((bytes) => put(gzipSync(bytes), mediaTypes.ociLayerGzip)))
  const rootfs = { type: 'layers', diff_ids: layers.map((bytes) => digestOf(bytes)) }
  const config = await put(json({ ...hostPlatform, config: {}, rootfs }), mediaTypes.ociConfig)
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: descriptors }
  const target = await put(json(manifest), mediaTypes.ociManifest)
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  const manifests = [{ ...target, platform: hostPlatform, annotations }]
  writeFileSync(join(layout, 'index.json'), json({ schemaVersion: 2, manifests }))
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
}

const programs = ['umoci', 'skopeo', 'containerd', 'ctr', 'python3', 'mknod', 'mkfifo']

describeWith({ linux: true, root: true, programs }, 'layers that are made here', () => {
  for (const chance of [false, true]) {
    const what = chance ? 'generated trees' : 'trees made by hand'

    test(`are unpacked by umoci to the same tree, and copied by skopeo: ${what}`, async () => {
      await using dir = await scratchMount()
      const { layers, tree } = await makeLayers(dir.path, { chance })
      const at = (name: string) => join(dir.path, name)
      await writeImage(at('layout'), layers)
      await runOrThrow('skopeo', ['copy', `oci:${at('layout')}:latest`, `oci:${at('copy')}:latest`])
      await runOrThrow('umoci', ['raw', 'unpack', '--image', `${at('copy')}:latest`, at('theirs')])
      // umoci removes names without setting the directory's time again.
      expect(compareTrees(await readTree(at('theirs')), tree)).toEqual([])
      // skopeo reads and compresses every layer anew for an image of Docker.
      await runOrThrow('skopeo', [
        'copy',
        `oci:${at('layout')}:latest`,
        `docker-archive:${at('archive.tar')}:a:b`,
      ])
      const list = (await runOrThrow('tar', ['-tf', at('archive.tar')])).stdout
      for (const bytes of layers) expect(list).toContain(digestOf(bytes).slice('sha256:'.length))
    })

    test(`are unpacked by containerd to the same tree: ${what}`, { timeout: 60_000 }, async () => {
      await using dir = await scratchMount()
      const { layers, tree } = await makeLayers(dir.path, { chance })
      const at = (name: string) => join(dir.path, name)
      await writeImage(at('layout'), layers)
      await runOrThrow('tar', ['-cf', at('image.tar'), '-C', at('layout'), '.'])
      await using containerd = await startContainerd()
      const ctr = async (...args: string[]) => {
        const { code, stderr } = await stockCtr(containerd.address, 'default', args)
        if (code !== 0) throw new Error(`ctr ${args.join(' ')}: ${stderr}`)
      }
      await ctr('images', 'import', '--base-name', 'example.com/made', at('image.tar'))
      mkdirSync(at('theirs'))
      await ctr('images', 'mount', 'example.com/made:latest', at('theirs'))
      try {
        const theirs = await readTree(at('theirs'))
        // containerd ignores attributes of the root in layers.
        expect(compareTrees(theirs, tree, { ignore: (name) => name === '.' })).toEqual([])
      } finally {
        await ctr('images', 'unmount', '--rm', at('theirs'))
      }
    })
  }
})
