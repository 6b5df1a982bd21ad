import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { fromSystemError } from '@nsbox/errors'
import type { ImageArchive } from '@nsbox/images'

/** The bytes of a file or of standard input (`-`), or the directory, that an argument names. */
export async function openArchive(from: string): Promise<ImageArchive> {
  if (from === '-') return process.stdin
  try {
    return (await stat(from)).isDirectory() ? { directory: from } : createReadStream(from)
  } catch (error) {
    throw fromSystemError(error, from)
  }
}
