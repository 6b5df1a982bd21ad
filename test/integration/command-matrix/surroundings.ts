import { chmod, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chainIds, parseDigest } from '@nsbox/oci'
import {
  type BuiltImage,
  buildImage,
  busyboxLayer,
  filesLayer,
  hostPlatform,
  pushImage,
  runOrThrow,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** What scenarios find besides a daemon. */
export interface Surroundings extends AsyncDisposable {
  /** A directory for the working directories of scenarios. */
  readonly directory: string
  /** The variables that `scenarios` tells of, but for those of a namespace. */
  readonly variables: Readonly<Record<string, string>>
  /** Where the registry listens that takes what is pushed. */
  readonly registry: string
}

const foreign = { os: 'linux', architecture: hostPlatform.architecture === 'arm64' ? 'amd64' : 'arm64' }

/** Starts registries with images, and writes what is read from files. */
export async function openSurroundings(): Promise<Surroundings> {
  await using opening = new AsyncDisposableStack()
  const directory = opening.use(await tempDir('nsbox-matrix')).path
  // Who runs in a user namespace goes through it.
  await chmod(directory, 0o755)
  const registry = opening.use(await startRegistry())
  const locked = opening.use(await startRegistry({ auth: { user: 'guest', password: 'secret' } }))
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] }
  const images = [
    { layers: [await busyboxLayer(), filesLayer({ 'etc/top': 'top\n' })], config },
    { layers: [filesLayer({ 'etc/foreign': 'foreign\n' })], platform: foreign, config },
  ]
  const image = await buildImage(join(directory, 'layout'), images, 'example.com/busybox:latest')
  const archive = join(directory, 'busybox.tar')
  const root = join(directory, 'rootfs')
  await mkdir(join(root, 'bin'), { recursive: true })
  const [pushed, pushedLocked] = await Promise.all([
    pushImage(image, registry, 'library/busybox:1'),
    pushImage(image, locked, 'library/locked:1'),
    runOrThrow('tar', ['--create', '--file', archive, '--directory', image.layout, '.']),
    runOrThrow('cp', ['/bin/busybox', join(root, 'bin/busybox')]),
  ])
  const resources = opening.move()
  return {
    directory,
    variables: {
      BUSYBOX: pushed.reference,
      LOCKED: pushedLocked.reference,
      ARCHIVE: archive,
      ROOT: root,
      PLATFORM: `${hostPlatform.os}/${hostPlatform.architecture}`,
      FOREIGN: `${foreign.os}/${foreign.architecture}`,
      ...digestsOf(image),
    },
    registry: registry.host,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

function digestsOf({ manifests, target }: BuiltImage): Record<string, string> {
  const { manifest, config, layers } = manifests[0]!
  const [chain, rootfs] = chainIds(layers.map(({ diffId }) => parseDigest(diffId)))
  return {
    INDEX: target.digest,
    MANIFEST: manifest.digest,
    CONFIG: config.digest,
    LAYER: layers[0]!.digest,
    TOP: layers[1]!.digest,
    CHAIN: chain!,
    ROOTFS: rootfs!,
  }
}
