import type { Container } from '@nsbox/core/containers'
import { isNsboxError, NsboxError } from '@nsbox/errors'
import { validateIdentifier, validateLabels } from '@nsbox/namespaces'

/** The most bytes that a container may have in all. A message with it must have less than 16 MiB. */
const maxBytes = 12 * 1024 * 1024

/** The most extensions of one container; clients have a handful. */
const maxExtensions = 1024

/**
 * Checks the fields of a container. The error texts are containerd's (docs/behaviour.md §1).
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
  // A remote client may have left it out, whatever the type says.
  if (spec === undefined) refuse('container.Spec must be set')
  if (snapshotKey !== '' && snapshotter === '')
    refuse('container.Snapshotter must be set if container.SnapshotKey is set')
  const count = Object.keys(extensions).length
  if (count > maxExtensions)
    refuse(`container.Extensions: ${count} extensions, at most ${maxExtensions} are allowed`)
  const bytes = sizeOf(container)
  if (bytes > maxBytes) refuse(`container of ${bytes} bytes, at most ${maxBytes} are allowed`)
}

function sizeOf({ labels, extensions, spec, runtime, ...texts }: Container): number {
  const values = [spec, ...(runtime.options ? [runtime.options] : []), ...Object.values(extensions)]
  const words = [
    ...[texts.image, texts.snapshotter, texts.snapshotKey, texts.sandbox, runtime.name],
    ...Object.entries(labels).flat(),
    ...Object.keys(extensions),
    ...values.map(({ typeUrl }) => typeUrl),
  ]
  const textBytes = words.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return values.reduce((sum, { value }) => sum + value.byteLength, textBytes)
}

function prefixed(prefix: string, check: () => void): void {
  try {
    check()
  } catch (error) {
    if (!isNsboxError(error)) throw error
    throw new NsboxError(error.code, prefix + error.context, { cause: error })
  }
}
