import { quoted } from '@nsbox/errors'
import { refuse } from '../validate.ts'
import type { Seccomp } from './seccomp.ts'

const action = /^SCMP_ACT_(?:KILL|KILL_PROCESS|KILL_THREAD|TRAP|ERRNO|TRACE|ALLOW|LOG|NOTIFY)$/
const operator = /^SCMP_CMP_(?:NE|LT|LE|EQ|GE|GT|MASKED_EQ)$/

/**
 * The part of `validateSpec` for the filter of system calls.
 *
 * @param field names the filter in errors, such as `spec: linux.seccomp`
 * @throws `invalid_argument`, naming the field
 */
export function validateSeccomp(
  { defaultAction, architectures = [], syscalls = [] }: Seccomp,
  field: string,
): void {
  assertAction(defaultAction, `${field}.defaultAction`)
  for (const [index, name] of architectures.entries()) {
    if (!/^SCMP_ARCH_[A-Z0-9_]+$/.test(name))
      throw refuse(`${field}.architectures[${index}]`, `${quoted(name)} is not an architecture`)
  }
  for (const [index, rule] of syscalls.entries()) {
    const at = `${field}.syscalls[${index}]`
    assertAction(rule.action, `${at}.action`)
    if (rule.names.length === 0) throw refuse(`${at}.names`, 'names no call')
    for (const [number, condition] of (rule.args ?? []).entries()) {
      if (!(condition.index >= 0 && condition.index <= 5))
        throw refuse(`${at}.args[${number}].index`, `${condition.index} is out of the range 0 to 5`)
      if (!operator.test(condition.op))
        throw refuse(`${at}.args[${number}].op`, `${quoted(condition.op)} is not a comparison`)
    }
  }
}

function assertAction(name: string, field: string): void {
  if (!action.test(name)) throw refuse(field, `${quoted(name)} is not an action`)
}
