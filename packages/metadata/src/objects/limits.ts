import type { OpaqueValue } from '@nsbox/core/containers'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import type { Maps } from './maps.ts'

/** The most bytes of a container or a sandbox in all. A message with it must have less than 16 MiB. */
export const maxBytes = 12 * 1024 * 1024

/** The most extensions of a container or sandbox; clients have a handful. */
export const maxExtensions = 1024

/** Total bytes of an object: its labels and extensions, and the given texts and values. */
export function sizeOf(
  { labels, extensions }: Maps,
  texts: readonly string[],
  others: readonly (OpaqueValue | undefined)[],
): number {
  const values = [...others, ...Object.values(extensions)].filter((value) => value !== undefined)
  const words = [
    ...texts,
    ...Object.entries(labels).flat(),
    ...Object.keys(extensions),
    ...values.map(({ typeUrl }) => typeUrl),
  ]
  const textBytes = words.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return values.reduce((sum, { value }) => sum + value.byteLength, textBytes)
}

/** Runs a check, and puts a text before the message of its error. */
export function prefixed(prefix: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!isNsboxError(error)) throw error
    throw new NsboxError(error.code, prefix + error.context, { cause: error })
  }
}
