import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  type ImageLayer,
  pushImage,
  type Registry,
  randomLayer,
  runOrThrow,
  seededBytes,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** `busybox` and `debian` have one layer, `multi` eight, `many` forty, `big` one that does not compress. */
export type ImageName = 'busybox' | 'debian' | 'multi' | 'many' | 'big'

/** Images in a registry on loopback. */
export interface BenchCorpus extends AsyncDisposable {
  reference(image: ImageName): string
  /** Path of a file as large as the layer of `big`, of other bytes. */
  readonly bigFile: string
  manifest(image: ImageName): Promise<ImageManifest>
  /** Paths of the compressed layers of an image in the registry. */
  layers(image: ImageName): Promise<readonly string[]>
}

export interface ImageManifest {
  readonly digest: string
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string }[]
}

/** Where `make-corpus.sh` puts it. */
const madeDirectory = process.env.DIRECTORY || '/var/tmp/nsbox-corpus'

/** The images of `make-corpus.sh`, which makes what there is not yet. */
export async function wholeCorpus(): Promise<BenchCorpus> {
  await using opening = new AsyncDisposableStack()
  const storage = join(madeDirectory, 'registry')
  const registry = opening.use(await startRegistry({ storageDir: storage }))
  if (!existsSync(join(madeDirectory, 'complete'))) {
    console.error('making the images')
    const env = { DIRECTORY: madeDirectory, REGISTRY: registry.host }
    await runOrThrow(join(import.meta.dirname, '../make-corpus.sh'), [], { timeout: 3_600_000, env })
  }
  return corpus(registry, storage, join(madeDirectory, 'layers/big.tar'), opening.move())
}

/** The same images by number and kind of their layers, but small, made within seconds. */
export async function quickCorpus(): Promise<BenchCorpus> {
  await using opening = new AsyncDisposableStack()
  const directory = opening.use(await tempDir('nsbox-bench-corpus')).path
  const storage = join(directory, 'registry')
  const registry = opening.use(await startRegistry({ storageDir: storage }))
  const bigFile = join(directory, 'file')
  await writeFile(bigFile, seededBytes('file', 4 << 20))
  const images: Record<ImageName, ImageLayer[]> = {
    busybox: [await busyboxLayer()],
    debian: [someFiles('debian', 100)],
    multi: Array.from({ length: 8 }, (_, layer) => someFiles(`multi-${layer}`, 100)),
    many: Array.from({ length: 40 }, (_, layer) => someFiles(`many-${layer}`, 5)),
    big: [randomLayer('layer', 4 << 20)],
  }
  for (const [name, layers] of Object.entries(images)) {
    const config = { Env: ['PATH=/bin'], Cmd: ['sh'] }
    const image = await buildImage(join(directory, 'layouts', name), { layers, config })
    await pushImage(image, registry, `bench/${name}:1`)
  }
  return corpus(registry, storage, bigFile, opening.move())
}

function someFiles(name: string, count: number): ImageLayer {
  return filesLayer(
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`${name}/${n % 10}/${n}`, `${name} ${n}\n`])),
  )
}

async function corpus(
  registry: Registry,
  storage: string,
  bigFile: string,
  stack: AsyncDisposableStack,
): Promise<BenchCorpus> {
  const manifest = async (image: ImageName): Promise<ImageManifest> => {
    const answer = await fetch(`http://${registry.host}/v2/bench/${image}/manifests/1`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    })
    if (!answer.ok) throw new Error(`${image}: the registry answers ${answer.status}`)
    const { config, layers } = (await answer.json()) as Omit<ImageManifest, 'digest'>
    return { digest: answer.headers.get('docker-content-digest')!, config, layers }
  }
  const layers = async (image: ImageName) =>
    (await manifest(image)).layers.map(({ digest }) => {
      const hex = digest.slice('sha256:'.length)
      return join(storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data')
    })
  // From here on nobody waits for the disk of the registry.
  for (const image of ['busybox', 'debian', 'multi', 'many', 'big'] as const)
    for (const path of await layers(image)) await readFile(path)
  return {
    reference: (image) => `${registry.host}/bench/${image}:1`,
    bigFile,
    manifest,
    layers,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
