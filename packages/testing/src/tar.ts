/** One member of a tar archive. Names are written unchecked: a test may want a hostile one. */
export type TarEntry = TarFile | TarDirectory | TarLink

interface TarAttributes {
  /** At most 100 bytes of UTF-8; directories are given without their final slash. */
  readonly name: string
  /** Permission bits; 0644 for files, 0755 for directories, 0777 for symbolic links by default. */
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

const typeFlags = { file: '0', hardlink: '1', symlink: '2', directory: '5' } as const
const defaultModes = { file: 0o644, hardlink: 0o644, symlink: 0o777, directory: 0o755 } as const

/** Writes entries as a tar archive in the ustar format, ending with two empty blocks. */
export async function* tar(entries: Iterable<TarEntry>): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    if (!('content' in entry)) {
      yield header(entry, 0)
      continue
    }
    const { size, chunks } = sized(entry.content)
    yield header(entry, size)
    let written = 0
    for await (const chunk of chunks) {
      written += chunk.length
      yield chunk
    }
    if (written !== size) throw new Error(`${entry.name}: ${written} bytes instead of ${size}`)
    yield Buffer.alloc((512 - (size % 512)) % 512)
  }
  yield Buffer.alloc(1024)
}

function sized(content: TarFile['content']): SizedContent {
  if (typeof content === 'string') return sized(Buffer.from(content))
  return content instanceof Uint8Array ? { size: content.length, chunks: [content] } : content
}

function header(entry: TarEntry, size: number): Uint8Array {
  const type = entry.type ?? 'file'
  const block = Buffer.alloc(512)
  const text = (offset: number, length: number, value: string) => {
    if (Buffer.byteLength(value) > length) throw new Error(`too long for a tar header: ${value}`)
    block.write(value, offset)
  }
  const octal = (offset: number, length: number, value: number) =>
    text(offset, length - 1, value.toString(8).padStart(length - 1, '0'))
  text(0, 100, type === 'directory' ? `${entry.name}/` : entry.name)
  octal(100, 8, entry.mode ?? defaultModes[type])
  octal(108, 8, entry.uid ?? 0)
  octal(116, 8, entry.gid ?? 0)
  octal(124, 12, size)
  octal(136, 12, entry.mtime ?? 0)
  text(148, 8, ' '.repeat(8))
  text(156, 1, typeFlags[type])
  if (entry.type === 'symlink' || entry.type === 'hardlink') text(157, 100, entry.target)
  text(257, 6, 'ustar')
  text(263, 2, '00')
  const sum = block.reduce((total, byte) => total + byte, 0)
  text(148, 8, `${sum.toString(8).padStart(6, '0')}\0 `)
  return block
}
