import { mayChangeMounts, processIo, readSpecObject } from '@nsbox/bundle'
import type { ExecOptions, ProcessIo } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'

/** An exec that is about to be added. */
export interface NewExec {
  readonly io: ProcessIo
  /** The OCI process as JSON. */
  readonly process: Uint8Array
  /** Whether it may change mounts. */
  readonly changesMounts: boolean
}

/**
 * The process of an exec for runc: as the client gave it, byte for byte where possible, since JavaScript has no numbers
 * such as the limit 2⁶⁴−1.
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

/** Of a repeated key the last one counts. */
function withTerminal(process: Uint8Array, terminal: boolean): Uint8Array {
  const text = new TextDecoder().decode(process)
  return new TextEncoder().encode(`${text.slice(0, text.lastIndexOf('}'))},"terminal":${terminal}}`)
}
