import type { IdMapping } from './id-mapping.ts'
import type { NamespaceType } from './linux.ts'
import { bindMount, withMounts } from './mount-options.ts'
import { withEnv } from './process-options.ts'
import { changeLinux, type SpecOption } from './spec-option.ts'

/** Leaves the container in the host's namespace of this type. */
export function withHostNamespace(type: NamespaceType): SpecOption {
  return (spec) =>
    changeLinux(spec, (linux) => ({
      ...linux,
      namespaces: (linux.namespaces ?? []).filter((each) => each.type !== type),
    }))
}

/**
 * The host's network, with read-only `/etc/hosts` and `/etc/resolv.conf` of the host, and the host's name in the
 * variable `HOSTNAME`. The UTS namespace stays the container's own, as with stock `ctr`.
 */
export function withHostNetwork({ hostname }: { readonly hostname: string }): SpecOption {
  const options = [
    withHostNamespace('network'),
    withMounts([bindMount('/etc/hosts', '/etc/hosts'), bindMount('/etc/resolv.conf', '/etc/resolv.conf')]),
    withEnv([`HOSTNAME=${hostname}`]),
  ]
  return (spec) => options.reduce((result, option) => option(result), spec)
}

/** A namespace of this type: the one at `path`, such as `/proc/<pid>/ns/net`, or a new one. */
export function withNamespace(type: NamespaceType, path?: string): SpecOption {
  const namespace = path === undefined ? { type } : { type, path }
  return (spec) =>
    changeLinux(spec, (linux) => {
      const others = linux.namespaces ?? []
      const at = others.findIndex((each) => each.type === type)
      return { ...linux, namespaces: at === -1 ? [...others, namespace] : others.with(at, namespace) }
    })
}

/** A new user namespace with these ids of the host, which must own the root file system. */
export function withUserNamespace(mappings: {
  readonly uid: readonly IdMapping[]
  readonly gid: readonly IdMapping[]
}): SpecOption {
  return (spec) =>
    changeLinux(withNamespace('user')(spec), (linux) => ({
      ...linux,
      uidMappings: mappings.uid,
      gidMappings: mappings.gid,
    }))
}
