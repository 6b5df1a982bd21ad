import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { isNotFound } from '@nsbox/errors'
import { parsePlatform } from '@nsbox/oci'
import {
  buildImage,
  type Containerd,
  filesLayer,
  hostPlatform,
  type ImageSpec,
  randomLayer,
  startContainerd,
  stockCtr,
  type TarEntry,
  tar,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { directoryEntries, dockerEntries, plainLayer } from '../testing/archive-bytes.ts'
import { openStores, type TestStores } from '../testing/open-stores.ts'
import { exportImages } from './export-images.ts'
import { importImages } from './import-images.ts'

const other = { os: 'linux', architecture: hostPlatform.architecture === 'arm64' ? 'amd64' : 'arm64' }
const twoPlatforms: ImageSpec[] = [
  { layers: [filesLayer({ one: '1' }), randomLayer(3, 300_000)] },
  { platform: other, layers: [filesLayer({ two: '2' })] },
]
const host = parsePlatform(`${hostPlatform.os}/${hostPlatform.architecture}`)

describeWith(
  { root: true, linux: true, programs: ['containerd', 'ctr'] },
  'archives beside stock containerd',
  () => {
    const resources = new AsyncDisposableStack()
    let containerd: Containerd
    let stores: TestStores
    let namespace: string
    let count = 0

    beforeAll(async () => {
      containerd = resources.use(await startContainerd())
    })
    afterAll(() => resources.disposeAsync())
    beforeEach(async () => {
      namespace = `n${count++}`
      stores = resources.use(await openStores())
    })

    async function ctr(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await stockCtr(containerd.address, namespace, args, {
        env: { TZ: 'UTC' },
      })
      expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
      return stdout
    }

    /** Names and digests of containerd's images. */
    async function theirs(): Promise<string[][]> {
      const lines = (await ctr('images', 'ls')).trim().split('\n').slice(1)
      return lines.map((line) => line.split(/\s+/)).map(([name = '', , digest = '']) => [name, digest])
    }

    const ours = async () =>
      (await stores.view.images.list()).map(({ name, target }) => [name, target.digest as string])

    async function built(name: string): Promise<void> {
      const layout = join(stores.path, 'layout')
      await buildImage(layout, twoPlatforms, name)
      const { content, images } = stores.view
      await importImages({ directory: layout }, { content, images })
    }

    it('are imported by it with all platforms, and exported by it byte for byte the same', async () => {
      await built('docker.io/library/two:1')
      const { content, images } = stores.view
      const image = await images.get('docker.io/library/two:1')
      const [file, back] = [join(stores.path, 'ours.tar'), join(stores.path, 'theirs.tar')]
      await writeFile(file, exportImages([image], { content }))
      await ctr('images', 'import', '--no-unpack', '--all-platforms', file)
      expect(await theirs()).toEqual(await ours())
      await ctr('images', 'export', '--all-platforms', back, image.name)
      expect((await readFile(back)).equals(await readFile(file))).toBe(true)
    })

    it('are exported by it for one platform byte for byte the same', async () => {
      await built('docker.io/library/two:1')
      const { content, images } = stores.view
      const image = await images.get('docker.io/library/two:1')
      const [file, back] = [join(stores.path, 'ours.tar'), join(stores.path, 'theirs.tar')]
      await writeFile(file, exportImages([image], { content, platforms: [host] }))
      await ctr('images', 'import', '--no-unpack', file)
      expect(await theirs()).toEqual(await ours())
      await ctr('images', 'export', '--skip-manifest-json', back, image.name)
      const bare = exportImages([image], { content, platforms: [host], skipDockerManifest: true })
      expect((await readFile(back)).equals(await buffer(bare))).toBe(true)
    })

    it('are imported as it exports them', async () => {
      const layout = join(stores.path, 'layout')
      const image = await buildImage(layout, twoPlatforms, 'v1')
      const entries: TarEntry[] = []
      for (const name of ['oci-layout', 'index.json'])
        entries.push({ name, content: await readFile(join(layout, name)) })
      const all = [image.target, ...image.manifests.flatMap((m) => [m.manifest, m.config, ...m.layers])]
      for (const { digest } of all) {
        const name = `blobs/sha256/${digest.slice(7)}`
        entries.push({ name, content: await readFile(join(layout, name)) })
      }
      const [plain, exported] = [join(stores.path, 'plain.tar'), join(stores.path, 'exported.tar')]
      await writeFile(plain, tar(entries))
      await ctr('images', 'import', '--no-unpack', '--all-platforms', '--base-name', 'foo/bar', plain)
      await ctr('images', 'export', '--all-platforms', exported, 'foo/bar:v1')
      const { content, images } = stores.view
      await importImages(Readable.from([await readFile(exported)]), { content, images })
      expect(await ours()).toEqual([['foo/bar:v1', image.target.digest]])
      expect(await theirs()).toEqual(await ours())
    })

    it('of Docker give the same digests here and there, the index included', async () => {
      const layers = [await plainLayer('a', '1'), await plainLayer('b', '2'.repeat(200_000))]
      const file = join(stores.path, 'docker.tar')
      await writeFile(file, tar(dockerEntries(layers, ['two:1', 'localhost/three:2'])))
      await ctr('images', 'import', '--no-unpack', '--all-platforms', '--index-name', 'all', file)
      const { content, images } = stores.view
      await importImages(Readable.from([await readFile(file)]), {
        content,
        images,
        indexNames: () => ['all'],
      })
      expect(await ours()).toEqual(await theirs())
    })

    it.each(['v1', 'a/b:2', 'a/bc:3'])('are named alike, with the reference %s', async (reference) => {
      const layout = join(stores.path, 'layout')
      await buildImage(layout, twoPlatforms, reference)
      const file = join(stores.path, 'named.tar')
      await writeFile(file, tar(await directoryEntries(layout)))
      for (const [flags, naming] of [
        [[], {}],
        [['--base-name', 'a/b'], { baseName: 'a/b', onlyBaseName: true }],
        [['--base-name', 'a/b', '--digests'], { baseName: 'a/b', onlyBaseName: true, digestNames: 'all' }],
        [
          ['--base-name', 'a/b', '--digests', '--skip-digest-for-named'],
          { baseName: 'a/b', onlyBaseName: true, digestNames: 'unnamed' },
        ],
      ] as const) {
        namespace = `named${count++}`
        stores = resources.use(await openStores())
        const { content, images } = stores.view
        const baseName = `import-${new Date().toISOString().slice(0, 10)}`
        await ctr('images', 'import', '--no-unpack', '--all-platforms', ...flags, file)
        await importImages(tar(await directoryEntries(layout)), {
          content,
          images,
          naming: [{ baseName, ...naming }],
        }).catch((error: unknown) => {
          // Here, an archive without a name to import is an error.
          if (!isNotFound(error)) throw error
        })
        expect(await ours()).toEqual(await theirs())
      }
    })
  },
)
