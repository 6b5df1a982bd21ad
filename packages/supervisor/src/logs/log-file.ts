import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { fromSystemError, NsboxError, quoted } from '@nsbox/errors'
import { outputTarget } from '../protocol/output-target.ts'
import { FileChanges } from './file-changes.ts'
import { firstOfLastLines, lineAfter } from './line-starts.ts'
import { readAt } from './read-at.ts'

/** Milliseconds without anything new after which the log of an ended process is whole. */
const quiet = 200

/** Milliseconds after the end of a process within which its output is passed on, as a supervisor does it. */
const drainTime = 2_500

/** What to read of a log. */
export interface ReadLogOptions {
  /**
   * How much is read of what is there: the last lines, or the last bytes from the beginning of a line; everything by
   * default.
   */
  readonly last?: { readonly lines: number } | { readonly bytes: number } | undefined
  /**
   * Go on with what is added, and anew when the file has become shorter, until this aborts because the writer has
   * ended, and what that had left to write is there. By default the reading ends with what is there now.
   */
  readonly writing?: AbortSignal | undefined
  /** Ends the reading at once, without an error. */
  readonly signal?: AbortSignal | undefined
}

/** The log of a process, as a file that stays open. */
export interface LogFile extends AsyncDisposable {
  /** Its bytes, no more than 64 KiB at once. @throws system errors */
  read(options?: ReadLogOptions): AsyncGenerator<Uint8Array, void, undefined>
}

/**
 * Opens the file that an output goes to, for reading: a regular file, without following a link
 * (docs/threat-model.md H06).
 *
 * @param output as `outputTarget` takes it
 * @param id names the container in errors
 * @throws `not_found` if the output goes to no file; system errors
 */
export async function openLogOf(output: string, id: string): Promise<LogFile> {
  const target = outputTarget(output)
  if (target.kind !== 'file' && target.kind !== 'path') throw noFile(id, target.kind)
  let file: FileHandle
  try {
    // A FIFO must not be waited for.
    file = await open(target.path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    throw fromSystemError(error, `log of container ${quoted(id)}`)
  }
  try {
    if (!(await file.stat()).isFile()) throw noFile(id, 'path')
  } catch (error) {
    await file.close()
    throw error
  }
  return { read: (options) => read(file, options), [Symbol.asyncDispose]: () => file.close() }
}

async function* read(
  file: FileHandle,
  { last, writing, signal }: ReadLogOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  using changes = writing && new FileChanges(file)
  const { size } = await file.stat()
  let position = await startOf(file, size, last, signal)
  let end: AbortSignal | undefined
  while (!signal?.aborted) {
    const bytes = await readAt(file, position, changes ? undefined : size - position)
    position += bytes.length
    if (bytes.length > 0) yield bytes
    else if (changes === undefined || end?.aborted) return
    else if (writing?.aborted) {
      end ??= AbortSignal.timeout(drainTime)
      if (!(await changes.next(AbortSignal.timeout(quiet), end, signal))) return
    } else {
      await changes.next(writing, signal)
      if ((await file.stat()).size < position) position = 0
    }
  }
}

async function startOf(
  file: FileHandle,
  size: number,
  last: ReadLogOptions['last'],
  signal: AbortSignal | undefined,
): Promise<number> {
  if (last === undefined) return 0
  if ('lines' in last) return await firstOfLastLines(file, size, last.lines, { signal })
  return last.bytes >= size ? 0 : await lineAfter(file, size - last.bytes, size, { signal })
}

function noFile(id: string, kind: string): NsboxError {
  const where =
    { logger: 'to a program', nothing: 'nowhere', path: 'to a FIFO or a device' }[kind] ?? 'elsewhere'
  return new NsboxError(
    'not_found',
    `log of container ${quoted(id)}: its output goes ${where}; ` +
      'one that is started with --log-uri file:///PATH has a log',
  )
}
