import type { Container, ContainerChange } from '@nsbox/core/containers'
import { NsboxError, quoted } from '@nsbox/errors'
import { changedMaps } from '../objects/maps.ts'

/** The fields that an update without paths changes. */
const everything = ['labels', 'spec', 'extensions', 'image', 'snapshotkey']

/**
 * The container that results from an update; see `ContainerStore.update`.
 * @throws `invalid_argument` for a path that cannot be updated, or a change of a constant field
 */
export function changeContainer(
  current: Container,
  given: ContainerChange,
  paths: readonly string[],
): Container {
  if (paths.length > 0) return paths.reduce((result, path) => take(result, given, path), current)
  if ((given.snapshotter ?? '') !== current.snapshotter) throw immutable('container.Snapshotter')
  if (given.runtime?.name !== current.runtime.name) throw immutable('container.Runtime.Name')
  return everything.reduce((result, path) => take(result, given, path), current)
}

function take(container: Container, given: ContainerChange, path: string): Container {
  const maps = changedMaps(container, given, path)
  if (maps !== undefined) return { ...container, ...maps }
  switch (path) {
    case 'spec':
      if (given.spec === undefined)
        throw new NsboxError('invalid_argument', 'update failed validation: container.Spec must be set')
      return { ...container, spec: given.spec }
    case 'image':
      return { ...container, image: given.image ?? '' }
    case 'snapshotkey':
      return { ...container, snapshotKey: given.snapshotKey ?? '' }
    default:
      throw new NsboxError(
        'invalid_argument',
        `cannot update ${quoted(path)} field on ${quoted(container.id)}`,
      )
  }
}

function immutable(field: string): NsboxError {
  return new NsboxError('invalid_argument', `${field} field is immutable`)
}
