import { open } from 'node:fs/promises'
import { fromSystemError, isErrno } from '@nsbox/errors'

/** A container can make its runtime log much, so only the end is read. */
const maxLog = 64 * 1024
const maxMessage = 4096

/**
 * The runtime's last message at level `error` or above, from lines of JSON as runc and crun write them. Other lines,
 * such as one cut off at the beginning, are skipped.
 */
export function lastError(text: string): string | undefined {
  for (const line of text.split('\n').reverse()) {
    const entry = logEntry(line)
    if (entry !== undefined) return cut(entry)
  }
  return undefined
}

function logEntry(line: string): string | undefined {
  try {
    const { level, msg } = JSON.parse(line) as { level?: unknown; msg?: unknown }
    if (typeof msg !== 'string' || typeof level !== 'string') return undefined
    return ['error', 'fatal', 'panic'].includes(level) ? msg.trim() : undefined
  } catch {
    return undefined
  }
}

/** The last line of a program that does not log JSON. */
export function lastLine(text: string): string | undefined {
  const line = text.trim().split('\n').at(-1)?.trim()
  return line ? cut(line) : undefined
}

/**
 * As `lastError`, of a file; undefined if the runtime never wrote it.
 * @param from bytes to skip
 */
export async function lastErrorOf(path: string, from = 0): Promise<string | undefined> {
  try {
    await using file = await open(path)
    const { size } = await file.stat()
    const length = Math.min(Math.max(size - from, 0), maxLog)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
    return lastError(buffer.toString('utf8', 0, bytesRead))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw fromSystemError(error, 'reading the log of the runtime')
  }
}

const cut = (text: string) => (text.length > maxMessage ? `${text.slice(0, maxMessage)}…` : text)
