import type { Sandbox } from '@nsbox/core/sandboxes'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { validateIdentifier, validateLabels } from '@nsbox/namespaces'

/** The most bytes that a sandbox may have in all. A message with it must have less than 16 MiB. */
const maxBytes = 12 * 1024 * 1024

/** The most extensions of one sandbox; clients have a handful. */
const maxExtensions = 1024

const prefix = 'failed to validate sandbox: '

/**
 * Checks the fields of a sandbox. The texts about the id are containerd's (docs/behaviour.md §18).
 *
 * @throws `invalid_argument`
 */
export function validateSandbox(sandbox: Sandbox): void {
  const { id, labels, extensions } = sandbox
  prefixed(`${prefix}invalid sandbox ID: `, () => validateIdentifier(id))
  prefixed(prefix, () => validateLabels(labels, 'sandbox.Labels'))
  if (Object.hasOwn(extensions, '')) refuse('sandbox.Extensions: an empty name')
  const count = Object.keys(extensions).length
  if (count > maxExtensions) refuse(`${count} extensions, at most ${maxExtensions} are allowed`)
  const bytes = sizeOf(sandbox)
  if (bytes > maxBytes) refuse(`${bytes} bytes, at most ${maxBytes} are allowed`)
}

function refuse(why: string): never {
  throw new NsboxError('invalid_argument', prefix + why)
}

function sizeOf({ labels, extensions, spec, runtime, sandboxer }: Sandbox): number {
  const values = [spec, runtime.options, ...Object.values(extensions)].filter((value) => value !== undefined)
  const words = [
    ...[runtime.name, sandboxer],
    ...Object.entries(labels).flat(),
    ...Object.keys(extensions),
    ...values.map(({ typeUrl }) => typeUrl),
  ]
  const textBytes = words.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return values.reduce((sum, { value }) => sum + value.byteLength, textBytes)
}

function prefixed(text: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!isNsboxError(error)) throw error
    throw new NsboxError(error.code, text + error.context, { cause: error })
  }
}
