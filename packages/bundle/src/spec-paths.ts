import type { Mount } from '@nsbox/core/snapshots'
import { NsboxError } from '@nsbox/errors'
import type { Json, JsonObject } from '@nsbox/oci'

/** Paths of the host that a spec gives a container. */
export interface SpecPaths {
  /** As mounts of this package, including the root; relative sources are relative to the bundle. */
  readonly mounts: readonly Mount[]
  /** Whether its processes have the right to change mounts. */
  readonly changesMounts: boolean
}

/** The forms of a root path that mean the bundle's own `rootfs`. */
const ownRoot = /^(?:\.\/+)*rootfs\/*$/

/**
 * Reads the paths of a spec. Malformed parts, which the runtime refuses, are skipped.
 *
 * @throws `invalid_argument` for a key that differs from one of these only in case: Go's decoder treats both as the
 * same, and the last one counts
 */
export function specPaths(spec: JsonObject): SpecPaths {
  const { root, mounts, process } = fields(spec, 'root', 'mounts', 'process', 'linux')
  const { path } = fields(objectOf(root), 'path')
  const reached: Mount[] = []
  // The runtime makes mount points in it, even if it is read-only for the container.
  if (typeof path === 'string' && path !== '' && !ownRoot.test(path))
    reached.push({ type: 'bind', source: path, options: ['rbind', 'rw'] })
  if (Array.isArray(mounts)) reached.push(...mounts.flatMap((entry) => specMount(objectOf(entry))))
  return { mounts: reached, changesMounts: mayChangeMounts(objectOf(process)) }
}

/** Whether a process has the right to change mounts (`CAP_SYS_ADMIN`), or may come to have it. */
export function mayChangeMounts(process: JsonObject): boolean {
  const { capabilities } = fields(process, 'capabilities')
  return Object.values(objectOf(capabilities)).some(
    (names) =>
      Array.isArray(names) && names.some((name) => typeof name === 'string' && /sys_admin$/i.test(name)),
  )
}

function specMount(entry: JsonObject): Mount[] {
  const { type = '', source = '', options = [] } = fields(entry, 'destination', 'type', 'source', 'options')
  if (typeof type !== 'string' || typeof source !== 'string' || !Array.isArray(options)) return []
  return [{ type, source, options: options.filter((option) => typeof option === 'string') }]
}

function fields(object: JsonObject, ...names: readonly string[]): Readonly<Record<string, Json | undefined>> {
  const found: Record<string, Json> = {}
  for (const [key, value] of Object.entries(object)) {
    const name = names.find((name) => folded(name) === folded(key))
    if (name === undefined) continue
    if (name !== key)
      throw new NsboxError('invalid_argument', `spec: ${JSON.stringify(key)}, which is not ${name}`)
    // `null` means absent.
    if (value !== null) found[name] = value
  }
  return found
}

/** Folds letters that differ only in case, such as ſ with s, and the kelvin sign with k. */
const folded = (text: string) => text.toLowerCase().toUpperCase()

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
