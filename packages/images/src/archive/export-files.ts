import { type AbortOptions, type ContentReader, provedBlob } from '@nsbox/core/content'
import type { Platform } from '@nsbox/oci'
import { blobName, dockerDocument, indexDocument, layoutDocument } from './export-documents.ts'
import { type ExportedImage, planExport } from './export-plan.ts'

/** How to export. */
export interface ExportOptions extends AbortOptions {
  readonly content: ContentReader
  /** Platforms to export; all of them if absent or empty. Of each platform, the best match of an index. */
  readonly platforms?: readonly Platform[] | undefined
  /** Leave out the `manifest.json` that `docker load` and other readers of Docker archives need; not by default. */
  readonly skipDockerManifest?: boolean | undefined
  /** Leave out layers whose media type says that they may not be distributed; not by default. */
  readonly skipNonDistributable?: boolean | undefined
}

/** A file of an exported image layout. */
export interface ExportedFile {
  readonly name: string
  readonly mode: number
  /** Bytes. */
  readonly size: number
  /** Can be read once. */
  readonly content: AsyncIterable<Uint8Array>
}

/**
 * The files of a layout with images, ordered by name. Everything is looked up before the first one is returned, and
 * verified while it is read.
 *
 * @throws as `planExport`
 */
export async function* exportFiles(
  images: readonly ExportedImage[],
  options: ExportOptions,
): AsyncGenerator<ExportedFile> {
  const {
    content,
    platforms = [],
    skipDockerManifest = false,
    skipNonDistributable = false,
    signal,
  } = options
  const plan = await planExport(images, { content, platforms, skipNonDistributable, signal })
  const docker = skipDockerManifest ? undefined : await dockerDocument(plan, { content, platforms, signal })
  const index = await indexDocument(images, { content, signal })
  const blobs = [...plan.blobs].map(([digest, size]) => ({ name: blobName(digest), digest, size }))
  for (const { name, digest, size } of blobs.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    yield { name, mode: 0o444, size, content: provedBlob(content, { digest, size }, { signal }) }
  }
  yield document('index.json', 0o644, index)
  if (docker !== undefined) yield document('manifest.json', 0o644, docker)
  yield document('oci-layout', 0o444, layoutDocument)
}

function document(name: string, mode: number, bytes: Uint8Array): ExportedFile {
  async function* content() {
    yield bytes
  }
  return { name, mode, size: bytes.byteLength, content: content() }
}
