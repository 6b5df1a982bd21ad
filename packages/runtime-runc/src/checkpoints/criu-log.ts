import { open } from 'node:fs/promises'
import { type ErrorCode, errorCode, fromSystemError, isErrno, isNsboxError, NsboxError } from '@nsbox/errors'
import { obstacle } from './obstacles.ts'

/** Bytes that are read at the end of a log. */
const maxLog = 16 * 1024
const maxLines = 4
const maxLine = 300

/** A harmless message that every run has on hosts that limit the descriptors of all processes. */
const noise = /Can't setup RLIMIT_NOFILE/

/** The errors in a log of CRIU. */
export interface CriuFailure {
  /** CRIU's messages, one for each error, in order. */
  readonly lines: readonly string[]
  readonly code?: ErrorCode | undefined
  /** The resource that cannot be saved or restored, where it is known. */
  readonly reason?: string | undefined
}

/**
 * The errors at the end of CRIU's log.
 * @returns undefined if there is no log, or no error in it
 */
export async function criuFailure(log: string): Promise<CriuFailure | undefined> {
  const lines = errorLines(await endOf(log))
  if (lines.length === 0) return undefined
  const met = obstacle(lines)
  return { lines: lines.slice(0, maxLines), code: met?.code, reason: met?.name }
}

/**
 * Whether a log says that a checkpoint is complete. Only the last line counts: those above may contain names that a
 * container chose.
 */
export async function criuHasFinished(log: string): Promise<boolean> {
  return /(?:^|\n)\([\d.]+\) Dumping finished successfully\n?$/.test(await endOf(log))
}

/** An error of a command that ran CRIU, with CRIU's messages; its code is CRIU's where the command has none. */
export function withCriuFailure(error: unknown, failure: CriuFailure | undefined): unknown {
  if (failure === undefined || !isNsboxError(error)) return error
  const { reason, lines } = failure
  const code = errorCode(error)
  // The log that the runtime names will be removed.
  const words = error.context.replace(/\s+log file: .*$/s, '')
  return new NsboxError(
    code === 'unknown' ? (failure.code ?? code) : code,
    [words, ...(reason === undefined ? [] : [reason]), lines.join('; ')].join(': '),
    { cause: error },
  )
}

/** Messages without the time, the pid within the container, and characters of file names; each once. */
function errorLines(text: string): string[] {
  const lines = text.split('\n').flatMap((line) => {
    const words = /^(?:\([\d.]+\)|pie: \d+:)\s*(?:\d+: )?(Error \(.*)$/.exec(line)?.[1]
    return words === undefined || noise.test(words)
      ? []
      : [words.slice(0, maxLine).replaceAll(/\p{Cc}/gu, '\uFFFD')]
  })
  return [...new Set(lines)]
}

async function endOf(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const length = Math.min(size, maxLog)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return ''
    throw fromSystemError(error, 'reading the log of CRIU')
  }
}
