import { NsboxError, quoted } from '@nsbox/errors'
import { mergeEnv } from './env.ts'
import type { Integer } from './integer.ts'
import type { Rlimit, User } from './process.ts'
import { changeProcess, type SpecOption } from './spec-option.ts'

/** The program and its arguments; replaces those of the image, including its entrypoint. */
export function withProcessArgs(args: readonly string[]): SpecOption {
  return (spec) => changeProcess(spec, (process) => ({ ...process, args: [...args] }))
}

/**
 * Sets variables of the form `NAME=value`, and removes those of the form `NAME`. A variable keeps its place, a new one
 * is appended.
 *
 * @throws `invalid_argument` for a variable without a name, a control character in a name, or a NUL
 */
export function withEnv(variables: readonly string[]): SpecOption {
  return (spec) =>
    changeProcess(spec, (process) => ({ ...process, env: mergeEnv(process.env ?? [], variables) }))
}

/** The working directory, absolute. */
export function withCwd(cwd: string): SpecOption {
  return (spec) => changeProcess(spec, (process) => ({ ...process, cwd }))
}

/** The user and all groups of the process; see `resolveUser`. */
export function withUser(user: User): SpecOption {
  return (spec) => changeProcess(spec, (process) => ({ ...process, user }))
}

/** Gives the process a terminal, and sets `TERM` unless it has a value already. */
export function withTty(): SpecOption {
  return (spec) =>
    changeProcess(spec, (process) => {
      const env = process.env ?? []
      const named = env.some((variable) => variable.startsWith('TERM='))
      return { ...process, terminal: true, env: named ? env : [...env, 'TERM=xterm'] }
    })
}

/** Whether programs may gain privileges by set-user-ID bits and file capabilities (prctl(2), PR_SET_NO_NEW_PRIVS). */
export function withNoNewPrivileges(noNewPrivileges: boolean): SpecOption {
  return (spec) => changeProcess(spec, (process) => ({ ...process, noNewPrivileges }))
}

/** Sets a limit of getrlimit(2), such as `RLIMIT_NOFILE`; the hard limit is the soft one by default. */
export function withRlimit(type: string, soft: Integer, hard: Integer = soft): SpecOption {
  return (spec) =>
    changeProcess(spec, (process) => {
      const others = (process.rlimits ?? []).filter((rlimit: Rlimit) => rlimit.type !== type)
      return { ...process, rlimits: [...others, { type, hard, soft }] }
    })
}

/** Confines the process by an AppArmor profile that is loaded on the host. */
export function withApparmorProfile(name: string): SpecOption {
  if (!/^[^\s\p{Cc}]+$/u.test(name))
    throw new NsboxError('invalid_argument', `AppArmor profile ${quoted(name)}: not a name`)
  return (spec) => changeProcess(spec, (process) => ({ ...process, apparmorProfile: name }))
}

/** How soon the kernel kills the process when memory runs out: -1000 (never) to 1000. */
export function withOomScoreAdj(oomScoreAdj: number): SpecOption {
  return (spec) => changeProcess(spec, (process) => ({ ...process, oomScoreAdj }))
}
