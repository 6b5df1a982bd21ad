import { spawnSync } from 'node:child_process'
import { isErrno } from '@nsbox/errors'
import { findProgram } from '@nsbox/supervisor/programs'
import type { Finding } from './finding.ts'

/** Milliseconds for a program to tell of itself. */
const timeout = 10_000

/** What is known of a program. */
export interface ProgramQuestion {
  readonly neededFor: string
  readonly wayOut: string
  /** What its lack is; `limited` by default. */
  readonly lack?: Finding['state'] | undefined
  /** Arguments with which it says its version; it is not asked by default. */
  readonly version?: readonly string[] | undefined
}

/** Looks for a program in `PATH`. */
export function programFinding(
  subject: string,
  { neededFor, wayOut, lack = 'limited', version }: ProgramQuestion,
): Finding {
  let path: string
  try {
    path = findProgram(subject, { searchPath: process.env.PATH, from: process.cwd() })
  } catch (error) {
    if (!isErrno(error, 'ENOENT') && !isErrno(error, 'EACCES')) throw error
    return { subject, state: lack, found: 'not in $PATH', neededFor, wayOut }
  }
  if (version === undefined) return { subject, state: 'ok', found: path, neededFor }
  const said = answerOf(path, version)
  if ('failure' in said)
    return { subject, state: lack, found: `${path} does not work: ${said.failure}`, neededFor, wayOut }
  return { subject, state: 'ok', found: `${path} (${said.text})`, neededFor }
}

/** The first line that a program prints, or why it does not work: the last line of its errors, or of its output. */
export function answerOf(
  program: string,
  args: readonly string[],
): { readonly text: string } | { readonly failure: string } {
  const { error, status, stdout, stderr } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout,
    maxBuffer: 1 << 20,
  })
  if (error !== undefined) return { failure: error.message }
  if (status === 0) return { text: linesOf(stdout)[0] ?? '' }
  return { failure: linesOf(stderr).at(-1) ?? linesOf(stdout).at(-1) ?? `it ended with status ${status}` }
}

const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '')
