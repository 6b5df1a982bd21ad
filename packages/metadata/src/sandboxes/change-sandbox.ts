import type { Sandbox, SandboxChange } from '@nsbox/core/sandboxes'
import { NsboxError, quoted } from '@nsbox/errors'
import { changedMaps } from '../objects/maps.ts'

/** The fields that an update without paths changes. */
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
  const maps = changedMaps(sandbox, given, path)
  if (maps !== undefined) return { ...sandbox, ...maps }
  switch (path) {
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
