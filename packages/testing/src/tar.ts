import { pipeline } from 'node:stream/promises'
import { type Header, type Pack, pack } from 'tar-stream'

/** One member of a tar archive. Names are written unchecked: a test may want a hostile one. */
export type TarEntry = TarFile | TarDirectory | TarLink

interface TarAttributes {
  /** Directories are given without their final slash. */
  readonly name: string
  /** Permission bits, at least one; 0644 for files, 0755 for directories, 0777 for symbolic links by default. */
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds since 1970; 0 by default, so that the same entries give the same bytes. */
  readonly mtime?: number
}

export interface TarFile extends TarAttributes {
  readonly type?: 'file'
  readonly content: string | Uint8Array | SizedContent
}

export interface TarDirectory extends TarAttributes {
  readonly type: 'directory'
}

export interface TarLink extends TarAttributes {
  readonly type: 'symlink' | 'hardlink'
  readonly target: string
}

/** Content that is made while it is written. */
export interface SizedContent {
  readonly size: number
  readonly chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

const defaultModes = { file: 0o644, link: 0o644, symlink: 0o777, directory: 0o755 } as const

/**
 * Writes entries as a tar archive, by a program that is not ours: in the ustar format, with an extended header where a
 * name is not of ASCII or too long for that.
 */
export async function* tar(entries: Iterable<TarEntry>): AsyncGenerator<Uint8Array> {
  const archive = pack()
  const written = write(archive, entries).catch((error: Error) => archive.destroy(error))
  try {
    yield* archive as AsyncIterable<Uint8Array>
  } finally {
    archive.destroy()
    await written
  }
}

async function write(archive: Pack, entries: Iterable<TarEntry>): Promise<void> {
  for (const entry of entries) {
    const { size, chunks } = 'content' in entry ? sized(entry.content) : { size: 0, chunks: [] }
    const type: Header['type'] & keyof typeof defaultModes =
      entry.type === 'hardlink' ? 'link' : (entry.type ?? 'file')
    const name = type === 'directory' ? `${entry.name}/` : entry.name
    const { mode = defaultModes[type], uid = 0, gid = 0, mtime = 0 } = entry
    const link = 'target' in entry ? { linkname: entry.target } : {}
    const header = { type, name, ...link, mode, uid, gid, size, mtime: new Date(1000 * mtime) }
    const sink = archive.entry(header)
    if (type === 'file') await pipeline(chunks, sink)
  }
  archive.finalize()
}

function sized(content: TarFile['content']): SizedContent {
  if (typeof content === 'string') return sized(Buffer.from(content))
  return content instanceof Uint8Array ? { size: content.length, chunks: [content] } : content
}
