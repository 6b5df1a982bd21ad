import type { BigIntStats } from 'node:fs'
import { fileCalls } from '@nsbox/sys/files'
import { checkResult } from '../walk/file-result.ts'
import { copyExtendedAttributes } from './extended-attributes.ts'

const billion = 1_000_000_000n

/** A file whose attributes another one gets. */
export interface AttributeSource {
  readonly stats: BigIntStats
  /** Paths have one character per byte. A symbolic link as the last component is not followed. */
  readonly path: string
}

/**
 * Copies owner, mode, extended attributes and modification time to an open file: the owner first, since setting it
 * clears setuid and capabilities, and the time last.
 *
 * @param isCopied tells by its name whether to copy an extended attribute
 */
export function copyAttributes(
  { stats, path }: AttributeSource,
  to: { readonly fd: number; readonly path: string },
  isCopied: (attribute: string) => boolean,
): void {
  checkResult(fileCalls.fchown(to.fd, Number(stats.uid), Number(stats.gid)), 'chown')
  checkResult(fileCalls.fchmod(to.fd, Number(stats.mode) & 0o7777), 'chmod')
  copyExtendedAttributes(path, to.path, isCopied)
  checkResult(fileCalls.futimens(to.fd, ...timeParts(stats.mtimeNs)), 'utimens')
}

/** Splits nanoseconds since 1970, which may be negative, into seconds and nanoseconds for system calls. */
export function timeParts(nanoseconds: bigint): readonly [seconds: number, nanoseconds: number] {
  const rest = ((nanoseconds % billion) + billion) % billion
  return [Number((nanoseconds - rest) / billion), Number(rest)]
}
