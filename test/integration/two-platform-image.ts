import { join } from 'node:path'
import {
  type BuiltImage,
  buildImage,
  filesLayer,
  hostPlatform,
  randomLayer,
  runOrThrow,
} from '@nsbox/testing'

/** An image, and an archive of its layout. */
export interface ArchivedImage {
  readonly image: BuiltImage
  readonly layout: string
  readonly archive: string
}

/** Makes an image for this host's platform and another one. @param bytes of the larger layer */
export async function twoPlatformImage(directory: string, bytes: number): Promise<ArchivedImage> {
  const layout = join(directory, 'layout')
  const other = hostPlatform.architecture === 'arm64' ? 'amd64' : 'arm64'
  const image = await buildImage(layout, [
    { layers: [filesLayer({ 'etc/one': '1' }), randomLayer(1, bytes)] },
    { layers: [filesLayer({ 'etc/one': 'other' })], platform: { os: 'linux', architecture: other } },
  ])
  const archive = join(directory, 'layout.tar')
  await runOrThrow('tar', ['-cf', archive, '-C', layout, 'oci-layout', 'index.json', 'blobs'])
  return { image, layout, archive }
}
