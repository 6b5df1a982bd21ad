import type { Integer } from './integer.ts'

/** A filter of system calls, as libseccomp understands it. */
export interface Seccomp {
  readonly defaultAction: SeccompAction
  /** Of the default action, if that is `SCMP_ACT_ERRNO`. */
  readonly defaultErrnoRet?: number | undefined
  readonly architectures?: readonly string[] | undefined
  readonly flags?: readonly string[] | undefined
  readonly listenerPath?: string | undefined
  readonly listenerMetadata?: string | undefined
  readonly syscalls?: readonly SeccompRule[] | undefined
}

export type SeccompAction =
  | 'SCMP_ACT_KILL'
  | 'SCMP_ACT_KILL_PROCESS'
  | 'SCMP_ACT_KILL_THREAD'
  | 'SCMP_ACT_TRAP'
  | 'SCMP_ACT_ERRNO'
  | 'SCMP_ACT_TRACE'
  | 'SCMP_ACT_ALLOW'
  | 'SCMP_ACT_LOG'
  | 'SCMP_ACT_NOTIFY'

/** What happens to these calls if all conditions hold. Names that the machine's libseccomp does not know are skipped. */
export interface SeccompRule {
  readonly names: readonly string[]
  readonly action: SeccompAction
  readonly errnoRet?: number | undefined
  readonly args?: readonly SeccompCondition[] | undefined
}

export interface SeccompCondition {
  /** Which argument, from 0. */
  readonly index: number
  readonly value: Integer
  /** What a masked comparison compares with; `value` is the mask then. */
  readonly valueTwo?: Integer | undefined
  readonly op:
    | 'SCMP_CMP_NE'
    | 'SCMP_CMP_LT'
    | 'SCMP_CMP_LE'
    | 'SCMP_CMP_EQ'
    | 'SCMP_CMP_GE'
    | 'SCMP_CMP_GT'
    | 'SCMP_CMP_MASKED_EQ'
}
