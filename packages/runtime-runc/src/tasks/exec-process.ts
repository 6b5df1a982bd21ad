import type { ExecOptions, ProcessIo } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { parseSpecObject } from '../bundle/bundle-spec.ts'

/**
 * What runc is to be told of an exec: the process as the client gave it, byte for byte where it can be, since numbers
 * such as the limit 2⁶⁴−1 are none of JavaScript's.
 *
 * @throws `invalid_argument`
 */
export function execProcess({ stdin = '', stdout = '', stderr = '', terminal = false, spec }: ExecOptions): {
  readonly io: ProcessIo
  readonly process: Uint8Array
} {
  const process = parseSpecObject(spec.value, 'process spec')
  if (!Array.isArray(process.args) || process.args.length === 0) {
    throw new NsboxError('invalid_argument', 'process spec must have args')
  }
  return {
    io: { stdin, stdout, stderr: terminal ? '' : stderr, terminal },
    process: (process.terminal ?? false) === terminal ? spec.value : withTerminal(spec.value, terminal),
  }
}

/** Of a key that is there twice the last one counts. */
function withTerminal(process: Uint8Array, terminal: boolean): Uint8Array {
  const text = new TextDecoder().decode(process)
  return new TextEncoder().encode(`${text.slice(0, text.lastIndexOf('}'))},"terminal":${terminal}}`)
}
