import { mayChangeMounts, processIo, readSpecObject } from '@nsbox/bundle'
import type { ExecOptions, ProcessIo } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'

/** An exec that is about to be added. */
export interface NewExec {
  readonly io: ProcessIo
  /** The OCI process as JSON. */
  readonly process: Uint8Array
  /** Whether it has the right to change mounts. */
  readonly changesMounts: boolean
}

/**
 * What runc is to be told of an exec: the process as the client gave it, byte for byte where it can be, since numbers
 * such as the limit 2⁶⁴−1 are none of JavaScript's.
 *
 * @throws `invalid_argument`
 */
export async function newExec({ spec, ...wanted }: ExecOptions): Promise<NewExec> {
  const process = await readSpecObject(spec.value, 'process spec')
  if (!Array.isArray(process.args) || process.args.length === 0) {
    throw new NsboxError('invalid_argument', 'process spec must have args')
  }
  const io = processIo(wanted)
  const asWanted = (process.terminal ?? false) === io.terminal
  const changesMounts = mayChangeMounts(process)
  return { io, changesMounts, process: asWanted ? spec.value : withTerminal(spec.value, io.terminal) }
}

/** Of a key that is there twice the last one counts. */
function withTerminal(process: Uint8Array, terminal: boolean): Uint8Array {
  const text = new TextDecoder().decode(process)
  return new TextEncoder().encode(`${text.slice(0, text.lastIndexOf('}'))},"terminal":${terminal}}`)
}
