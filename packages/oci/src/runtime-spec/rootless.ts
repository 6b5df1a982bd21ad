import type { IdMapping } from './id-mapping.ts'
import { withUserNamespace } from './namespace-options.ts'
import type { Mount } from './spec.ts'
import { changeLinux, changeProcess, type SpecOption } from './spec-option.ts'

export interface RootlessOptions {
  /** The host's ids of the container: at least the user's own for 0. */
  readonly uidMappings: readonly IdMapping[]
  readonly gidMappings: readonly IdMapping[]
  /** Whether the user may make cgroups; otherwise no limit can be set. */
  readonly cgroups?: boolean
}

/**
 * Changes a spec so that a user other than root can run it: a user namespace, no supplementary groups (runc sets none
 * for such a user), no owners of mounts that the namespace does not map, no cgroup unless one is delegated. In the
 * host's network namespace, which is not the user's, a new sysfs cannot be mounted; the host's is bound instead. Must
 * come after the options that it overrides.
 */
export function withRootless({ uidMappings, gidMappings, cgroups = false }: RootlessOptions): SpecOption {
  const mapped = withUserNamespace({ uid: uidMappings, gid: gidMappings })
  return (spec) => {
    const inside = changeProcess(mapped(spec), ({ user: { additionalGids: _, ...user }, ...process }) => ({
      ...process,
      user,
    }))
    const hostNetwork = !inside.linux?.namespaces?.some(({ type }) => type === 'network')
    const mounts = inside.mounts?.map((mount) =>
      hostNetwork && mount.type === 'sysfs'
        ? {
            destination: mount.destination,
            type: 'bind',
            source: '/sys',
            options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
          }
        : withoutForeignOwner(mount, uidMappings, gidMappings),
    )
    return changeLinux({ ...inside, mounts }, (linux) => {
      if (cgroups) return linux
      const { resources: _, cgroupsPath: __, ...rest } = linux
      return rest
    })
  }
}

function withoutForeignOwner(mount: Mount, uids: readonly IdMapping[], gids: readonly IdMapping[]): Mount {
  const foreign = (option: string): boolean => {
    const [, kind, id] = /^([ug])id=([0-9]+)$/.exec(option) ?? []
    if (kind === undefined) return false
    return !(kind === 'u' ? uids : gids).some(
      ({ containerID, size }) => Number(id) >= containerID && Number(id) < containerID + size,
    )
  }
  return mount.options?.some(foreign)
    ? { ...mount, options: mount.options.filter((option) => !foreign(option)) }
    : mount
}
