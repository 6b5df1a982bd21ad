import type { Container } from '@nsbox/core/containers'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { validateIdentifier, validateLabels } from '@nsbox/namespaces'

/**
 * Holds a container against its rules, with the texts that clients know (BEHAVIOUR.md §1).
 *
 * @param doing what the texts begin with
 * @throws `invalid_argument`
 */
export function validateContainer(container: Container, doing: string): void {
  const { id, labels, runtime, spec, snapshotter, snapshotKey, extensions } = container
  const prefix = `${doing} failed validation: `
  const refuse = (why: string): never => {
    throw new NsboxError('invalid_argument', prefix + why)
  }
  prefixed(`${prefix}container.ID: `, () => validateIdentifier(id))
  if (Object.hasOwn(extensions, '')) refuse('container.Extension keys must not be zero-length')
  prefixed(prefix, () => validateLabels(labels, 'containers.Labels'))
  if (runtime.name === '') refuse('container.Runtime.Name must be set')
  // A caller on the other side of a socket may have left it out, whatever the type says.
  if (spec === undefined) refuse('container.Spec must be set')
  if (snapshotKey !== '' && snapshotter === '')
    refuse('container.Snapshotter must be set if container.SnapshotKey is set')
}

function prefixed(prefix: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!isNsboxError(error)) throw error
    throw new NsboxError(error.code, prefix + error.context, { cause: error })
  }
}
