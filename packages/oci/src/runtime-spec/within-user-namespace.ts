import type { IdMapping } from './id-mapping.ts'
import type { Mount } from './spec.ts'
import { changeLinux, changeProcess, type SpecOption } from './spec-option.ts'

/** What a container can have whose runtime runs in a user namespace. */
export interface UserNamespaceLimits {
  /** The ids of the namespace, by `containerID` and `size`. */
  readonly uids: readonly Pick<IdMapping, 'containerID' | 'size'>[]
  readonly gids: readonly Pick<IdMapping, 'containerID' | 'size'>[]
  /** Whether processes may get supplementary groups. */
  readonly groups: boolean
  /** The cgroup that those of containers are made in; absent where none can be made, so that no limit can be set. */
  readonly cgroup?: string | undefined
}

/**
 * Changes a spec so that a runtime in a user namespace can run it: no supplementary groups and no owners of mounts that
 * the namespace does not have, and a cgroup only where one can be made. In the host's network namespace, which is not
 * the user's, a new sysfs cannot be mounted; the host's is bound instead. Must come after the options that it
 * overrides.
 */
export function withinUserNamespace({ uids, gids, groups, cgroup }: UserNamespaceLimits): SpecOption {
  return (spec) => {
    const inside = changeProcess(spec, ({ user: { additionalGids, ...user }, ...process }) => {
      const had = groups ? additionalGids?.filter((gid) => isMapped(gids, gid)) : undefined
      return { ...process, user: had === undefined ? user : { ...user, additionalGids: had } }
    })
    const hostNetwork = !inside.linux?.namespaces?.some(({ type }) => type === 'network')
    const mounts = inside.mounts?.map((mount) =>
      hostNetwork && mount.type === 'sysfs'
        ? {
            destination: mount.destination,
            type: 'bind',
            source: '/sys',
            options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'],
          }
        : withoutForeignOwner(mount, { u: uids, g: gids }),
    )
    return changeLinux(mounts === undefined ? inside : { ...inside, mounts }, (linux) => {
      const { resources, cgroupsPath, ...rest } = linux
      if (cgroup === undefined) return rest
      const path = cgroupsPath?.startsWith('/') ? `${cgroup}${cgroupsPath}` : cgroupsPath
      return { ...rest, ...(resources && { resources }), ...(path !== undefined && { cgroupsPath: path }) }
    })
  }
}

type Ids = UserNamespaceLimits['uids']

function withoutForeignOwner(mount: Mount, ids: Readonly<Record<'u' | 'g', Ids>>): Mount {
  const foreign = (option: string): boolean => {
    const [, kind, id] = /^([ug])id=([0-9]+)$/.exec(option) ?? []
    return kind !== undefined && !isMapped(ids[kind as 'u' | 'g'], Number(id))
  }
  return mount.options?.some(foreign)
    ? { ...mount, options: mount.options.filter((option) => !foreign(option)) }
    : mount
}

function isMapped(ids: Ids, id: number): boolean {
  return ids.some(({ containerID, size }) => id >= containerID && id < containerID + size)
}
