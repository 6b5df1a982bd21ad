import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { makeDirectories } from '@nsbox/errors/make-directories'
import { O_PATH } from '@nsbox/sys/mount-flags'
import { type LogProgram, type OutputTarget, outputTarget } from '../protocol/output-target.ts'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import type { ProcessIo } from '../protocol/process-record.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, O_RDWR, O_CREAT } = constants
const readerTimeout = 10_000
const nullDevice = 0x103

/**
 * Opens the files for input and output, and waits for readers of FIFOs. Refuses other kinds of files, follows no link,
 * and never blocks in open(2) (docs/threat-model.md D08).
 *
 * @param ends gets the descriptors; its owner closes them, also after an error
 * @returns the program that reads the output, if there is one
 * @throws `invalid_argument`, `not_found`, `deadline_exceeded` if no reader came; `canceled`
 */
export async function openStdio(
  io: ProcessIo,
  ends: OwnedEnds,
  { signal, waits }: { readonly signal: AbortSignal; readonly waits: boolean },
): Promise<LogProgram | undefined> {
  const stdout = outputTarget(io.stdout)
  // A URI for standard output stands for both.
  const both = stdout.kind === 'file' || stdout.kind === 'logger'
  const stderr = io.terminal ? outputTarget('') : both && io.stderr === '' ? stdout : outputTarget(io.stderr)
  if (io.terminal && io.stderr !== '') throw new NsboxError('invalid_argument', 'a terminal has one output')
  if (io.stdin !== '') {
    openInput(io.stdin, ends)
    if (io.terminal || !waits) keepInput(ends)
  }
  if (stdout.kind === 'logger' || stderr.kind === 'logger') {
    if (stdout.kind !== 'logger' || (io.stderr !== '' && io.stderr !== io.stdout))
      throw new NsboxError('invalid_argument', 'a program takes both outputs or none')
    return stdout
  }
  const readers = AbortSignal.any([signal, AbortSignal.timeout(readerTimeout)])
  await openOutput('stdout-sink', stdout, ends, readers)
  await openOutput('stderr-sink', stderr, ends, readers)
  return undefined
}

function openInput(path: string, ends: OwnedEnds): void {
  const target = outputTarget(path)
  if (target.kind !== 'path')
    throw new NsboxError('invalid_argument', `input ${JSON.stringify(path)} is no path`)
  withPath(target.path, (self) => ends.add('stdin-source', openSync(self, O_RDONLY | O_NONBLOCK)))
}

/** Opens a writer of the input's FIFO, if it is one, so that the input does not end when other writers leave. */
export function keepInput(ends: OwnedEnds): void {
  const source = ends.get('stdin-source')
  if (source === undefined || ends.get('stdin-keep') !== undefined || !fstatSync(source).isFIFO()) return
  ends.add('stdin-keep', openSync(`/proc/self/fd/${source}`, O_WRONLY | O_NONBLOCK))
}

async function openOutput(
  role: 'stdout-sink' | 'stderr-sink',
  target: OutputTarget,
  ends: OwnedEnds,
  signal: AbortSignal,
): Promise<void> {
  if (target.kind === 'file') ends.add(role, openLog(target.path))
  if (target.kind !== 'path') return
  for (;;) {
    const opened = withPath(target.path, (self, stats) => {
      if (!stats.isFIFO()) return openSync(self, O_WRONLY | O_NONBLOCK)
      const writer = openIfRead(self)
      if (writer === undefined) return undefined
      try {
        // A writer that is also a reader never gets an error for a missing reader.
        return openSync(self, O_RDWR | O_NONBLOCK)
      } finally {
        closeSync(writer)
      }
    })
    if (opened !== undefined) {
      ends.add(role, opened)
      return
    }
    await delay(5, undefined, { signal }).catch(() => {
      signal.throwIfAborted()
    })
  }
}

/** @returns undefined if a FIFO has no reader yet */
function openIfRead(path: string): number | undefined {
  try {
    return openSync(path, O_WRONLY | O_NONBLOCK)
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return undefined
    throw error
  }
}

/** Only its owner may read a log file, or enter directories that are made for it. */
function openLog(path: string): number {
  try {
    makeDirectories(dirname(path), 0o700)
    const fd = openSync(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
  } catch (error) {
    if (!['ELOOP', 'ENXIO', 'EISDIR'].some((errno) => isErrno(error, errno)))
      throw fromSystemError(error, `log ${path}`)
  }
  throw new NsboxError('invalid_argument', `log ${path} is no file`)
}

/** Passes on a path that leads to the same file at every opening, once its kind has been checked. */
function withPath<T>(path: string, open: (self: string, stats: Stats) => T): T {
  let fd: number | undefined
  try {
    fd = openSync(path, O_PATH | O_NOFOLLOW)
    const stats = fstatSync(fd)
    if (stats.isFIFO() || stats.isFile() || (stats.isCharacterDevice() && stats.rdev === nullDevice))
      return open(`/proc/self/fd/${fd}`, stats)
  } catch (error) {
    throw fromSystemError(error, `input or output ${path}`)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  throw new NsboxError('invalid_argument', `input or output ${path} is no FIFO and no file`)
}
