import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { isElf } from '@nsbox/supervisor/programs'

/** A program file in its current state. */
export interface Program {
  readonly path: string
  /** Changes when the file is replaced or modified (stat(2)). */
  readonly identity: string
}

/**
 * A program that may be runc itself: it has the name and is no script, which may do more. The shortcuts do not suit
 * other programs with runc's command line.
 *
 * @returns undefined for any other
 */
export function runcProgram(path: string): Program | undefined {
  if (basename(path) !== 'runc' || !isElf(path)) return undefined
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
  return { path, identity: [dev, ino, size, mtimeNs, ctimeNs].join(' ') }
}
