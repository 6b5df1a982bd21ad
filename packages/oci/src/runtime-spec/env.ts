import { NsboxError, quoted } from '@nsbox/errors'

/** The search path of a container whose image sets none. */
export const defaultPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

// A value may have control characters, such as the line ends of a certificate. A name with some tries to look like two
// variables where an environment is printed (docs/threat-model.md B16).
const assignment = /^[^=\p{Cc}]+=[^\0]*$/u
const name = /^[^=\p{Cc}]+$/u

/**
 * Applies changes to an environment: `NAME=value` sets, `NAME` removes. Variables keep their places and new ones
 * follow. Of two changes of one variable the last counts.
 *
 * @throws `invalid_argument` for a change without a name, a control character in a name, or a NUL
 */
export function mergeEnv(base: readonly string[], changes: readonly string[]): string[] {
  const merged = new Map(base.map((variable) => [nameOf(variable), variable]))
  for (const change of changes) {
    if (assignment.test(change)) merged.set(nameOf(change), change)
    else if (name.test(change)) merged.delete(change)
    else
      throw new NsboxError('invalid_argument', `environment: ${quoted(change)} is not of the form NAME=value`)
  }
  return [...merged.values()]
}

/** @throws `invalid_argument`, with `field` as its context, for a variable that is not of the form `NAME=value` */
export function assertEnv(env: readonly string[], field: string): void {
  for (const [index, variable] of env.entries()) {
    if (!assignment.test(variable)) {
      throw new NsboxError(
        'invalid_argument',
        `${field}[${index}]: ${quoted(variable)} is not of the form NAME=value`,
      )
    }
  }
}

function nameOf(variable: string): string {
  const end = variable.indexOf('=')
  return end === -1 ? variable : variable.slice(0, end)
}
