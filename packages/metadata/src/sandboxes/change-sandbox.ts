import { changeLabels } from '@nsbox/core/labels'
import type { Sandbox, SandboxChange } from '@nsbox/core/sandboxes'
import { NsboxError, quoted } from '@nsbox/errors'

/** What an update without paths takes. */
const everything = ['labels', 'extensions', 'spec', 'runtime']

/**
 * The sandbox that results from an update; see `SandboxStore.update`.
 * @throws `invalid_argument` for a path that cannot be updated, or another runtime's name where there are no paths
 */
export function changeSandbox(current: Sandbox, given: SandboxChange, paths: readonly string[]): Sandbox {
  if (paths.length === 0 && (given.runtime?.name ?? '') !== current.runtime.name)
    throw new NsboxError('invalid_argument', 'sandbox.Runtime.Name field is immutable')
  return (paths.length === 0 ? everything : paths).reduce(
    (result, path) => take(result, given, path),
    current,
  )
}

function take(sandbox: Sandbox, given: SandboxChange, path: string): Sandbox {
  const { labels = {}, extensions = {} } = given
  if (path.startsWith('labels.')) {
    const key = path.slice('labels.'.length)
    const value = Object.hasOwn(labels, key) ? (labels[key] as string) : ''
    return { ...sandbox, labels: changeLabels(sandbox.labels, { merge: { [key]: value } }) }
  }
  if (path.startsWith('extensions.')) {
    const name = path.slice('extensions.'.length)
    const others = Object.entries(sandbox.extensions).filter(([other]) => other !== name)
    const taken = Object.entries(extensions).filter(([other]) => other === name)
    return { ...sandbox, extensions: Object.fromEntries([...others, ...taken]) }
  }
  switch (path) {
    case 'labels':
      return { ...sandbox, labels: changeLabels({}, { replace: labels }) }
    case 'extensions':
      return { ...sandbox, extensions }
    case 'spec':
      return { ...sandbox, spec: given.spec }
    case 'runtime':
      return { ...sandbox, runtime: given.runtime ?? { name: '' } }
    default:
      throw new NsboxError(
        'invalid_argument',
        `cannot update ${quoted(path)} field on sandbox ${quoted(sandbox.id)}`,
      )
  }
}
