import type { BigIntStats } from 'node:fs'
import { fileCalls } from '@nsbox/sys/files'
import { checkResult } from '../walk/file-result.ts'
import { copyExtendedAttributes } from './extended-attributes.ts'
import { timeParts } from './time-parts.ts'

/** A file whose attributes another one gets. */
export interface AttributeSource {
  readonly stats: BigIntStats
  /** By one character per byte, as the path of the other one; neither is followed at its end. */
  readonly path: string
}

/**
 * Gives an open file the owner, mode, extended attributes and modification time of another: the owner first, which clears
 * setuid and capabilities, the time last.
 *
 * @param isCopied says of the name of an extended attribute whether to copy it
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
