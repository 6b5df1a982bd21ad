import { closeSync, fchownSync } from 'node:fs'
import { pipe } from '@nsbox/sys'
import type { OwnedEnds } from '../protocol/owned-ends.ts'
import type { Role } from '../protocol/roles.ts'

/**
 * Capacity of a pipe in bytes. With the system's default of 64 KiB, relaying takes three times the processor time,
 * since it waits for a busy writer four times as often.
 */
const pipeSize = 262_144

/** The ends of pipes that a program is started with; undefined where it gets the null device. */
export interface ProgramEnds {
  readonly stdin: number | undefined
  readonly stdout: number | undefined
  readonly stderr: number | undefined
  /** Closes them; the program has its own by then. */
  close(): void
}

/** Which pipes to make, and for whom. */
export interface MakePipesOptions {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  /** May open them again, as `/dev/stdout`. */
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
