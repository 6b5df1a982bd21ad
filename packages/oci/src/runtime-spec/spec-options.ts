import type { Hook, Hooks } from './spec.ts'
import type { SpecOption } from './spec-option.ts'

/** Where the root file system is, absolute or relative to the bundle, and whether it is mounted read-only. */
export function withRootfs(path: string, options: { readonly readonly?: boolean } = {}): SpecOption {
  return (spec) => ({
    ...spec,
    root: { ...spec.root, path, ...(options.readonly !== undefined && { readonly: options.readonly }) },
  })
}

/** Mounts the root file system read-only, at any path. */
export function withReadonlyRootfs(): SpecOption {
  return (spec) => ({ ...spec, root: { path: 'rootfs', ...spec.root, readonly: true } })
}

/** The host name inside; needs a UTS namespace of the container's own. */
export function withHostname(hostname: string): SpecOption {
  return (spec) => ({ ...spec, hostname })
}

/** Adds annotations, and replaces those with the same names. */
export function withAnnotations(annotations: Readonly<Record<string, string>>): SpecOption {
  return (spec) => ({ ...spec, annotations: { ...spec.annotations, ...annotations } })
}

/** Adds hooks: programs of the host that the runtime starts. */
export function withHooks(hooks: Hooks): SpecOption {
  return (spec) => {
    const merged: Record<string, readonly Hook[] | undefined> = { ...spec.hooks }
    for (const [point, added] of Object.entries(hooks) as [keyof Hooks, readonly Hook[] | undefined][])
      if (added !== undefined) merged[point] = [...(merged[point] ?? []), ...added]
    return { ...spec, hooks: merged }
  }
}
