import { padding, readTar, type TarEntry, tarHeader } from '@nsbox/diff/archive'
import { fromSystemError, NsboxError, quoted } from '@nsbox/errors'
import { archiveName } from '../archive/archive-name.ts'

/** A root file system: a directory, or the bytes of a tar, plain or compressed by gzip or zstd. */
export type RootFilesystem = AsyncIterable<Uint8Array> | { readonly directory: string }

/** How to make a layer of a root file system. */
export interface RootFilesystemLayerOptions {
  /** Owner of all files; each file's own by default. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** Latest time in the layer; no limit by default. */
  readonly sourceDateEpoch?: Date | undefined
  readonly signal?: AbortSignal | undefined
}

const noEntry = 'names no file of a root file system'

/**
 * The tar of a layer with a root file system. The same file system gives the same bytes. A chunk is valid until the
 * next one is requested.
 *
 * @throws `invalid_argument` for a name in a tar that leads out of it, `failed_precondition` for one that begins with
 * `.wh.`, which means a removal in a layer, `permission_denied` for files that this process may not read, `aborted` for
 * a file that changes meanwhile; as `writeLayer` and `readTar`
 */
export async function* rootFilesystemLayer(
  source: RootFilesystem,
  options: RootFilesystemLayerOptions,
): AsyncGenerator<Uint8Array> {
  const { owner } = options
  if (!('directory' in source)) yield* rewritten(source, options)
  else {
    const layer = directoryLayer(source.directory, options)
    if (owner === undefined) yield* layer
    else yield* rewritten(layer, options)
  }
}

async function* directoryLayer(
  directory: string,
  { sourceDateEpoch, signal }: RootFilesystemLayerOptions,
): AsyncGenerator<Uint8Array> {
  // What reads directories calls Linux; a tar is taken on every system.
  const { writeLayer } = await import('@nsbox/diff')
  try {
    const source = { upper: directory, form: 'plain', sourceDateEpoch: sourceDateEpoch?.getTime() } as const
    yield* writeLayer(source, { signal })
  } catch (error) {
    throw fromSystemError(error, directory)
  }
}

/** The same entries in one tar format, changed by the options. */
async function* rewritten(
  source: AsyncIterable<Uint8Array>,
  { owner, sourceDateEpoch, signal }: RootFilesystemLayerOptions,
): AsyncGenerator<Uint8Array> {
  for await (const { entry, size, content } of readTar(source, { signal })) {
    const mtime = earlier(entry.mtime, sourceDateEpoch)
    yield tarHeader({ ...entry, ...owner, mtime, name: layerName(entry), linkName: linkName(entry) })
    yield* content
    if (size % 512 !== 0) yield padding(size)
  }
  yield Buffer.alloc(1024)
}

function earlier(time: TarEntry['mtime'], latest: Date | undefined): TarEntry['mtime'] {
  if (latest === undefined) return time
  const milliseconds = latest.getTime()
  const seconds = Math.floor(milliseconds / 1000)
  const nanoseconds = (milliseconds - seconds * 1000) * 1_000_000
  const isLater = time.seconds > seconds || (time.seconds === seconds && time.nanoseconds > nanoseconds)
  return isLater ? { seconds, nanoseconds } : time
}

function layerName({ name, type }: TarEntry): string {
  const cleaned = archiveName(name)
  if (cleaned === undefined) {
    if (type !== 'directory' || name.split('/').includes('..')) throw refused(name, noEntry)
    return './'
  }
  if (cleaned.split('/').some((part) => part.startsWith('.wh.'))) {
    throw new NsboxError(
      'failed_precondition',
      `${quoted(name)} cannot be in a layer, where it means a removal`,
    )
  }
  return type === 'directory' ? `${cleaned}/` : cleaned
}

/** A hard link names an entry; a symbolic link may have any target. */
function linkName({ type, linkName }: TarEntry): string {
  if (type !== 'hardlink') return linkName
  const cleaned = archiveName(linkName)
  if (cleaned === undefined) throw refused(linkName, noEntry)
  return cleaned
}

function refused(name: string, why: string): NsboxError {
  return new NsboxError('invalid_argument', `archive entry ${quoted(name)}: ${why}`)
}
