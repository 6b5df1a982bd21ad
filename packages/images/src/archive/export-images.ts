import { padding, type TarEntry, tarHeader } from '@nsbox/diff/archive'
import { type ExportOptions, exportFiles } from './export-files.ts'
import type { ExportedImage } from './export-plan.ts'

/** The directories that every layout has. */
const directories = ['blobs/', 'blobs/sha256/']

/**
 * Exports images as a tar archive that is an OCI image layout and, by default, can be read by `docker load`. The same
 * images give the same bytes.
 *
 * Nothing is read before the first chunk is requested. An incomplete archive ends with an error; the documents that
 * name its images come last, so that no part of it can be mistaken for an image.
 *
 * @throws `not_found` for content that is missing, before the first chunk, and for an index without a manifest for the
 * platforms; `data_loss` for content that does not match its descriptor; the errors of the store
 */
export async function* exportImages(
  images: readonly ExportedImage[],
  options: ExportOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  let started = false
  for await (const { name, mode, size, content } of exportFiles(images, options)) {
    if (!started) for (const each of directories) yield tarHeader(entry(each, 0o755, 'directory', 0))
    started = true
    yield tarHeader(entry(name, mode, 'file', size))
    yield* content
    if (size % 512 !== 0) yield padding(size)
  }
  yield Buffer.alloc(1024)
}

function entry(name: string, mode: number, type: 'file' | 'directory', size: number): TarEntry {
  const owner = { uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, major: 0, minor: 0 }
  return { type, name, linkName: '', mode, size, ...owner, xattrs: new Map() }
}
