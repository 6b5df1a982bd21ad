import type { Container } from '@nsbox/core/containers'
import { NsboxError } from '@nsbox/errors'
import { validateIdentifier, validateLabels } from '@nsbox/namespaces'
import { maxBytes, maxExtensions, prefixed, sizeOf } from '../objects/limits.ts'

/**
 * Checks the fields of a container. The error texts are containerd's (docs/behaviour.md §1).
 *
 * @param doing the beginning of the texts
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
  // A remote client may omit it in spite of its type.
  if (spec === undefined) refuse('container.Spec must be set')
  if (snapshotKey !== '' && snapshotter === '')
    refuse('container.Snapshotter must be set if container.SnapshotKey is set')
  const count = Object.keys(extensions).length
  if (count > maxExtensions)
    refuse(`container.Extensions: ${count} extensions, at most ${maxExtensions} are allowed`)
  const texts = [container.image, snapshotter, snapshotKey, container.sandbox, runtime.name]
  const bytes = sizeOf(container, texts, [spec, runtime.options])
  if (bytes > maxBytes) refuse(`container of ${bytes} bytes, at most ${maxBytes} are allowed`)
}
