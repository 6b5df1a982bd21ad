import { closeSync, openSync } from 'node:fs'
import { errorCode, isErrno, NsboxError } from '@nsbox/errors'
import { spawnProgram } from '@nsbox/sys/processes'
import { findProgram } from '../programs/find-program.ts'
import { ProgramCopies } from './program-copies.ts'

const copies = new ProgramCopies()

/** A copy, since each access to a variable of `process.env` costs a call. */
const ownVariables = { ...process.env } as Readonly<Record<string, string>>

/** A program to start. */
export interface StartedProgram {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Whether it is to run from a sealed copy. */
  readonly fromMemory: boolean
  /** Descriptors for its input and outputs, the null device where undefined; or the path of a terminal. */
  readonly stdio: readonly [number | undefined, number | undefined, number | undefined] | string
  /** Whether it begins a session of its own. */
  readonly session: boolean
}

/**
 * Starts a program as a child without Node.
 * @returns its pid
 * @throws `not_found` or `permission_denied` for the program; `invalid_argument` for none
 */
export function startProgram({ command, cwd, env, fromMemory, stdio, session }: StartedProgram): number {
  const [program] = command
  if (program === undefined) throw new NsboxError('invalid_argument', 'nothing to launch')
  const variables = { ...ownVariables, ...env }
  const nothing = openSync('/dev/null', 'r+')
  try {
    const found = findProgram(program, { searchPath: variables.PATH, from: '/' })
    return spawnProgram({
      path: fromMemory ? copies.of(found) : found,
      args: command,
      env: variables,
      cwd,
      stdio: typeof stdio === 'string' ? stdio : withDefault(stdio, nothing),
      session,
    })
  } catch (error) {
    throw notStarted(error, program)
  } finally {
    closeSync(nothing)
  }
}

function withDefault(
  [stdin, stdout, stderr]: Exclude<StartedProgram['stdio'], string>,
  nothing: number,
): [number, number, number] {
  return [stdin ?? nothing, stdout ?? nothing, stderr ?? nothing]
}

function notStarted(error: unknown, program: string): NsboxError {
  const code = isErrno(error, 'ENOENT')
    ? 'not_found'
    : isErrno(error, 'EACCES')
      ? 'permission_denied'
      : errorCode(error)
  const { message } = error as Error
  return new NsboxError(code, `${JSON.stringify(program)}: ${message}`, { cause: error })
}
