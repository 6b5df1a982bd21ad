import type { Container, ContainerChange } from '@nsbox/core/containers'
import { changeLabels } from '@nsbox/core/labels'
import { NsboxError, quoted } from '@nsbox/errors'

/** What an update without paths takes. */
const everything = ['labels', 'spec', 'extensions', 'image', 'snapshotkey']

/**
 * The container that results from an update; see `ContainerStore.update`.
 * @throws `invalid_argument` for a path that cannot be updated, or a change of what never changes
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
  const { labels = {}, extensions = {} } = given
  if (path.startsWith('labels.')) {
    const key = path.slice('labels.'.length)
    const value = Object.hasOwn(labels, key) ? (labels[key] as string) : ''
    return { ...container, labels: changeLabels(container.labels, { merge: { [key]: value } }) }
  }
  if (path.startsWith('extensions.')) {
    const name = path.slice('extensions.'.length)
    const others = Object.entries(container.extensions).filter(([other]) => other !== name)
    const taken = Object.entries(extensions).filter(([other]) => other === name)
    return { ...container, extensions: Object.fromEntries([...others, ...taken]) }
  }
  switch (path) {
    case 'labels':
      return { ...container, labels: changeLabels({}, { replace: labels }) }
    case 'extensions':
      return { ...container, extensions }
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
