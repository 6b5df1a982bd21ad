import { join } from 'node:path'
import { busyboxLayer, filesLayer } from './image-layer.ts'
import { buildImage } from './image-layout.ts'
import { runOrThrow } from './run.ts'

/** An archive with an image that can be run. */
export interface BusyboxArchive {
  readonly path: string
  /** The name of the image after the import. */
  readonly name: string
}

const name = 'example.com/busybox:latest'

/**
 * Writes an archive with an image of Debian's static busybox for `images import` into a directory.
 *
 * @param config fields of the image's `config` object; `Env` is `PATH=/bin` and `Cmd` a shell by default
 * @param files to add to the root filesystem, from names to contents
 */
export async function busyboxArchive(
  directory: string,
  config: Readonly<Record<string, unknown>> = {},
  files: Readonly<Record<string, string>> = {},
): Promise<BusyboxArchive> {
  const layout = join(directory, 'layout')
  const layers = [await busyboxLayer(), ...(Object.keys(files).length === 0 ? [] : [filesLayer(files)])]
  await buildImage(layout, { layers, config: { Env: ['PATH=/bin'], Cmd: ['sh'], ...config } }, name)
  const path = join(directory, 'busybox.tar')
  await runOrThrow('tar', ['--create', '--file', path, '--directory', layout, '.'])
  return { path, name }
}
