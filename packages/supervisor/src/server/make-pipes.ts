import { closeSync, fchownSync } from 'node:fs'
import { pipe } from '@nsbox/sys'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import type { Role } from '../protocol/roles.ts'

/**
 * Capacity of a pipe in bytes. With the system's default of 64 KiB, relaying takes three times the processor time: it
 * then waits for a busy writer four times as often.
 */
const pipeSize = 262_144

/** The program's ends of its pipes; undefined where it gets the null device. */
export interface ProgramEnds {
  readonly stdin: number | undefined
  readonly stdout: number | undefined
  readonly stderr: number | undefined
  /** Closes them, once the program has its own. */
  close(): void
}

/** Which pipes to make, and their owner. */
export interface MakePipesOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** The user that may open them again, as `/dev/stdout`. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined
}

/**
 * Makes pipes for the input and output of a process. Pipes, because a process whose input or output is a FIFO or a
 * socket can be neither checkpointed nor restored with others.
 */
export function makePipes(ends: OwnedEnds, { owner, ...wanted }: MakePipesOptions): ProgramEnds {
  const program: number[] = []
  const make = (role: Role & ('stdin' | 'stdout' | 'stderr')) => {
    if (!wanted[role]) return undefined
    const { read, write } = pipe(pipeSize)
    const [mine, its] = role === 'stdin' ? [write, read] : [read, write]
    ends.add(role, mine)
    program.push(its)
    // Both ends are one inode.
    if (owner !== undefined) fchownSync(its, owner.uid, owner.gid)
    return its
  }
  const close = () => {
    for (const fd of program.splice(0)) closeSync(fd)
  }
  try {
    return { stdin: make('stdin'), stdout: make('stdout'), stderr: make('stderr'), close }
  } catch (error) {
    close()
    throw error
  }
}
