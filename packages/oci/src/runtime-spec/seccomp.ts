import type * as v from 'valibot'
import { list, openFields, optional, text, word } from '../field-schema.ts'
import { integer, integer32 } from './integer.ts'

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

type SeccompOperator =
  | 'SCMP_CMP_NE'
  | 'SCMP_CMP_LT'
  | 'SCMP_CMP_LE'
  | 'SCMP_CMP_EQ'
  | 'SCMP_CMP_GE'
  | 'SCMP_CMP_GT'
  | 'SCMP_CMP_MASKED_EQ'

const conditionSchema = openFields({
  /** Which argument, from 0. */
  index: integer32,
  value: integer,
  op: word<SeccompOperator>(),
  /** What a masked comparison compares with; `value` is the mask then. */
  ...optional({ valueTwo: integer }),
})

export interface SeccompCondition extends v.InferOutput<typeof conditionSchema> {}

const ruleSchema = openFields({
  names: list(text),
  action: word<SeccompAction>(),
  ...optional({ errnoRet: integer32, args: list(conditionSchema) }),
})

/** The action for these calls if all conditions hold. Names unknown to the host's libseccomp are skipped. */
export interface SeccompRule extends v.InferOutput<typeof ruleSchema> {}

/** The value of `linux.seccomp`, and the file of `--seccomp-profile`. */
export const seccompSchema = openFields({
  defaultAction: word<SeccompAction>(),
  ...optional({
    /** The errno of the default action, if that is `SCMP_ACT_ERRNO`. */
    defaultErrnoRet: integer32,
    architectures: list(text),
    flags: list(text),
    listenerPath: text,
    listenerMetadata: text,
    syscalls: list(ruleSchema),
  }),
})

/** A filter of system calls, in libseccomp's form. */
export interface Seccomp extends v.InferOutput<typeof seccompSchema> {}
