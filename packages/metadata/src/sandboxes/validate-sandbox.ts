import type { Sandbox } from '@nsbox/core/sandboxes'
import { NsboxError } from '@nsbox/errors'
import { validateIdentifier, validateLabels } from '@nsbox/namespaces'
import { maxBytes, maxExtensions, prefixed, sizeOf } from '../objects/limits.ts'

const prefix = 'failed to validate sandbox: '

/**
 * Checks the fields of a sandbox. The texts about the id are containerd's (docs/behaviour.md §18).
 *
 * @throws `invalid_argument`
 */
export function validateSandbox(sandbox: Sandbox): void {
  const { id, labels, extensions, runtime, sandboxer, spec } = sandbox
  prefixed(`${prefix}invalid sandbox ID: `, () => validateIdentifier(id))
  prefixed(prefix, () => validateLabels(labels, 'sandbox.Labels'))
  if (Object.hasOwn(extensions, '')) refuse('sandbox.Extensions: an empty name')
  const count = Object.keys(extensions).length
  if (count > maxExtensions) refuse(`${count} extensions, at most ${maxExtensions} are allowed`)
  const bytes = sizeOf(sandbox, [runtime.name, sandboxer], [spec, runtime.options])
  if (bytes > maxBytes) refuse(`${bytes} bytes, at most ${maxBytes} are allowed`)
}

function refuse(why: string): never {
  throw new NsboxError('invalid_argument', prefix + why)
}
