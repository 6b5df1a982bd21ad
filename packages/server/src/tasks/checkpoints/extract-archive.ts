import { close, closeSync, constants, openSync, write } from 'node:fs'
import { getSystemErrorName, promisify } from 'node:util'
import { ByteBudget } from '@nsbox/core/byte-budget'
import type { AbortOptions } from '@nsbox/core/content'
import { readTar, type TarMember } from '@nsbox/diff/archive'
import { fromSystemError } from '@nsbox/errors'
import { fileCalls, RESOLVE } from '@nsbox/sys/files'
import { memberPath, refusedMember } from './member-path.ts'
import { descriptorsName, standardDescriptors } from './standard-descriptors.ts'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants
const resolve = RESOLVE.IN_ROOT | RESOLVE.NO_XDEV | RESOLVE.NO_MAGICLINKS | RESOLVE.NO_SYMLINKS

/** Headers of the archive; CRIU writes some ten images for each process. */
const maxHeaders = 500_000

/** Bytes of the names of all its directories, of which a real one has one for each checkpoint that it adds to. */
const maxDirectoryNames = 4 * 1024 * 1024

const writeBytes = promisify(write)
const closeFile = promisify(close)

/** What an archive may hold. */
export interface ExtractOptions extends AbortOptions {
  /** Bytes of the archive, which its files cannot exceed in all. */
  readonly size: number
}

/**
 * Writes what an archive of a checkpoint holds into an empty directory, whoever has made it (HOSTILE D11): only files
 * and directories, each once, which belong to this process's user and nobody else may read. Owners, modes, times and
 * extended attributes are not taken over. The directory must be nobody else's; after an error it holds anything.
 *
 * @throws `invalid_argument` for an archive that no checkpoint is, with the entry's name as detail `entry`; as `readTar`
 */
export async function extractCheckpoint(
  archive: AsyncIterable<Uint8Array>,
  directory: string,
  { size, signal }: ExtractOptions,
): Promise<void> {
  // An archive that is compressed, which none of a checkpoint is, has no more than its own size as well.
  const limits = { size, headers: maxHeaders }
  using tree = new CheckpointTree(directory)
  for await (const member of readTar(archive, { limits, signal })) {
    const path = memberPath(member)
    if (member.type === 'directory') tree.makeDirectory(path, member)
    else if (member.type !== 'file') throw refusedMember(member.entry.name, `a ${member.type}`)
    else await tree.makeFile(path, member)
  }
}

/** A directory that is being filled. */
class CheckpointTree implements Disposable {
  readonly #root: number
  /** Whether the archive has named the directory, or has only named what is in it. */
  readonly #directories = new Map<string, boolean>()
  readonly #names = new ByteBudget('directories of the checkpoint', maxDirectoryNames)

  constructor(directory: string) {
    try {
      this.#root = openSync(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    } catch (error) {
      throw fromSystemError(error, 'the directory for images of a checkpoint')
    }
  }

  makeDirectory(path: readonly string[], member: TarMember): void {
    const name = path.join('/')
    if (this.#directories.get(name)) throw twice(member)
    this.#makeParents(path, member)
    if (path.length > 0 && !this.#directories.has(name)) this.#mkdir(name, member)
    this.#directories.set(name, true)
  }

  async makeFile(path: readonly string[], member: TarMember): Promise<void> {
    if (path.length === 0) throw refusedMember(member.entry.name, 'the root is no directory')
    this.#makeParents(path, member)
    const name = path.join('/')
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    const fd = checked(fileCalls.openat2(this.#root, name, flags, 0o600, resolve), member)
    try {
      const content = name === descriptorsName ? [await standardDescriptors(member)] : member.content
      for await (const chunk of content) await writeFully(fd, chunk)
    } catch (error) {
      throw fromSystemError(error, `writing checkpoint entry ${JSON.stringify(member.name)}`)
    } finally {
      await closeFile(fd)
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#root)
  }

  #makeParents(path: readonly string[], member: TarMember): void {
    for (let length = 1; length < path.length; length += 1) {
      const name = path.slice(0, length).join('/')
      if (this.#directories.has(name)) continue
      this.#mkdir(name, member)
      this.#directories.set(name, false)
    }
  }

  #mkdir(name: string, member: TarMember): void {
    this.#names.take(name.length)
    const parent = name.includes('/') ? name.slice(0, name.lastIndexOf('/')) : '.'
    const flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    const fd = checked(fileCalls.openat2(this.#root, parent, flags, 0, resolve), member)
    try {
      checked(fileCalls.mkdirat(fd, name.slice(name.lastIndexOf('/') + 1), 0o700), member)
    } finally {
      closeSync(fd)
    }
  }
}

/** The result of a file call. */
function checked(result: number, member: TarMember): number {
  if (result >= 0) return result
  const code = getSystemErrorName(result)
  if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR') throw twice(member)
  throw fromSystemError(
    Object.assign(new Error(code), { code }),
    `writing checkpoint entry ${JSON.stringify(member.name)}`,
  )
}

function twice({ entry }: TarMember) {
  return refusedMember(entry.name, 'is there twice')
}

async function writeFully(fd: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await writeBytes(fd, bytes, done, bytes.byteLength - done, null)
    done += bytesWritten
  }
}
