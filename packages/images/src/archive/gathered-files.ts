import { ByteBudget } from '@nsbox/core/byte-budget'
import { NsboxError, quoted } from '@nsbox/errors'
import { type Digest, digestOf, isDigest, maxDocumentSize } from '@nsbox/oci'
import type { ArchiveBlobs } from './archive-blobs.ts'
import type { ArchiveFile } from './archive-file.ts'

/** The documents that list an archive's images. */
const documents = new Set(['oci-layout', 'index.json', 'manifest.json'])

/** Bytes of all names and links of an archive; real ones have a few hundred, of about a hundred bytes each. */
const maxNames = 16 * 1024 * 1024

/** Other files up to this size are kept in memory until an image needs them, as long as all of them fit. */
const smallFile = 64 * 1024
const maxHeld = 16 * 1024 * 1024

/** Most links from a name to a file. */
const maxLinks = 32

/** A file of an archive that has been read. */
export interface GatheredFile {
  readonly name: string
  readonly digest: Digest
  readonly size: number
  /** Present if the file is kept in memory and not in the store. */
  readonly bytes?: Uint8Array | undefined
}

/** All files of an archive, in any order. */
export class GatheredFiles {
  readonly #blobs: ArchiveBlobs
  readonly #files = new Map<string, GatheredFile>()
  readonly #links = new Map<string, string | undefined>()
  readonly #names = new ByteBudget('names and links of the archive', maxNames)
  readonly #held = new ByteBudget('small files of the archive', maxHeld)

  private constructor(blobs: ArchiveBlobs) {
    this.#blobs = blobs
  }

  /**
   * Reads an archive to its end. Blobs with a digest as name are verified and stored, and so are big files.
   *
   * @throws `data_loss` for a blob with another digest than its name, `resource_exhausted` for a document that is too
   * big and for names and links of more than 16 MiB in all, `invalid_argument` for a name of two different files
   */
  static async from(files: AsyncIterable<ArchiveFile>, blobs: ArchiveBlobs): Promise<GatheredFiles> {
    const gathered = new GatheredFiles(blobs)
    for await (const file of files) {
      gathered.#names.take(bytesOf(file))
      if (file.kind === 'link') gathered.#links.set(file.name, file.target)
      else await gathered.#add(file)
    }
    return gathered
  }

  /**
   * The file with a name, following links within the archive.
   * @throws `invalid_argument` for circular links
   */
  find(name: string): GatheredFile | undefined {
    let at: string | undefined = name
    for (let links = 0; links <= maxLinks; links++) {
      const file = at === undefined ? undefined : this.#files.get(at)
      if (at === undefined || file !== undefined || !this.#links.has(at)) return file
      at = this.#links.get(at)
    }
    throw new NsboxError('invalid_argument', `archive entry ${quoted(name)}: more than ${maxLinks} links`)
  }

  /** A document's bytes. */
  document(name: 'oci-layout' | 'index.json' | 'manifest.json'): Uint8Array | undefined {
    return this.#files.get(name)?.bytes
  }

  async #add(file: ArchiveFile & { kind: 'file' }): Promise<void> {
    const { name } = file
    const gathered = await this.#read(file)
    const before = this.#files.get(name)
    if (before !== undefined && before.digest !== gathered.digest) {
      throw new NsboxError('invalid_argument', `archive entry ${quoted(name)}: is there twice`)
    }
    this.#files.set(name, gathered)
  }

  async #read({ name, size, content }: ArchiveFile & { kind: 'file' }): Promise<GatheredFile> {
    if (documents.has(name)) {
      if (size > maxDocumentSize) {
        throw new NsboxError(
          'resource_exhausted',
          `archive entry ${quoted(name)}: ${size} bytes, at most ${maxDocumentSize} are accepted`,
        )
      }
      return await hold(name, size, content)
    }
    const expected = blobDigest(name)
    if (expected === undefined && size <= smallFile && this.#held.has(size)) {
      this.#held.take(size)
      return await hold(name, size, content)
    }
    const digest = await this.#blobs.write(content, { name, size, expected })
    return { name, digest, size }
  }
}

/** Memory of a file's names, at two bytes for each character. */
function bytesOf(file: ArchiveFile): number {
  return 2 * (file.name.length + (file.kind === 'link' ? (file.target?.length ?? 0) : 0))
}

/** The digest that a name such as `blobs/sha256/<hex>` claims (OCI image specification, image-layout.md). */
function blobDigest(name: string): Digest | undefined {
  const [directory, algorithm, hex, ...rest] = name.split('/')
  const digest = `${algorithm}:${hex}`
  return directory === 'blobs' && rest.length === 0 && isDigest(digest) ? digest : undefined
}

async function hold(name: string, size: number, content: AsyncIterable<Uint8Array>): Promise<GatheredFile> {
  const bytes = new Uint8Array(size)
  let offset = 0
  for await (const chunk of content) {
    if (offset + chunk.byteLength > size) throw changed(name)
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  if (offset !== size) throw changed(name)
  return { name, digest: digestOf(bytes), size, bytes }
}

function changed(name: string): NsboxError {
  return new NsboxError('data_loss', `${quoted(name)}: changed while it was read`)
}
