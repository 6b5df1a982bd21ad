import { join } from 'node:path'
import { isFailedPrecondition, NsboxError } from '@nsbox/errors'
import { listMounts, type MountInfo } from '@nsbox/mount'
import { AttachLock } from './attach-lock.ts'
import { ContainerCgroup } from './container-cgroup.ts'
import { eventFileSource } from './oom/event-file-source.ts'
import { EventfdSource } from './oom/eventfd-source.ts'
import { OomWatcher } from './oom/oom-watch.ts'
import { isWithin, type ProcessCgroups, processCgroups } from './process-cgroups.ts'

/** Where a hierarchy is mounted, and which part of it. */
export interface HierarchyMount {
  readonly mountPoint: string
  /** The cgroup that is seen at the mount point. */
  readonly root: string
}

/** How the host has its cgroups. It does not change while the host runs, so one object serves for all containers. */
export class CgroupHost {
  /** 2 if the unified hierarchy has all controllers, 1 if others have some (cgroup v1 and hybrid hosts). */
  readonly version: 1 | 2
  /** To be told before a process is moved to a cgroup. */
  readonly attachLock: AttachLock = new AttachLock(() => this.#ownProcesses())
  readonly #mounts: ReadonlyMap<string, HierarchyMount>
  readonly #own: ProcessCgroups

  /** @internal use `CgroupHost.open` */
  constructor(mounts: ReadonlyMap<string, HierarchyMount>, own: ProcessCgroups) {
    this.#mounts = mounts
    this.#own = own
    this.version = [...mounts.keys()].some((name) => name !== '' && !name.startsWith('name=')) ? 1 : 2
  }

  /** @throws unimplemented if no cgroups are mounted */
  static async open(): Promise<CgroupHost> {
    const mounts = cgroupMounts(await listMounts({ types: ['cgroup', 'cgroup2'] }))
    if (mounts.size === 0) throw new NsboxError('unimplemented', 'cgroups: none are mounted')
    return new CgroupHost(mounts, processCgroups('self'))
  }

  /** Tells when containers of this host run out of memory. @param onWarning told of what nobody waits for */
  oomWatcher(onWarning: (message: string, error: unknown) => void): OomWatcher {
    return new OomWatcher(this.#mounts.has('memory') ? new EventfdSource() : eventFileSource, onWarning)
  }

  /**
   * The cgroup of a container, by that of its first process.
   *
   * @throws not_found if there is no such process; failed_precondition if it has no cgroup of its own, because this
   * process is in the same one, or because it has ended
   */
  of(pid: number): ContainerCgroup {
    return this.at(processCgroups(pid))
  }

  /** The cgroup of a path from the root of every hierarchy; undefined for one that is above this process. */
  named(path: string): ContainerCgroup | undefined {
    try {
      return this.at(new Map([...this.#mounts.keys()].map((name) => [name, path])))
    } catch (error) {
      if (isFailedPrecondition(error)) return undefined
      throw error
    }
  }

  /** As `of`, from what `ContainerCgroup.cgroups` has told; the cgroup need not exist any more. */
  at(cgroups: ProcessCgroups): ContainerCgroup {
    const directories = new Map<string, string>()
    for (const [name, path] of cgroups) {
      const mount = this.#mounts.get(name)
      const own = this.#own.get(name)
      // What is above this process is shared with others.
      if (mount === undefined || path === '/' || (own !== undefined && isWithin(own, path))) continue
      const directory = directoryOf(path, mount)
      if (directory !== undefined) directories.set(name, directory)
    }
    return new ContainerCgroup(this.version, cgroups, directories)
  }

  /** In the unified hierarchy if there is one: beside others it has no controllers. */
  #ownProcesses(): string | undefined {
    const name = this.#mounts.has('') ? '' : [...this.#mounts.keys()][0]!
    const path = processCgroups('self').get(name)
    const directory = path && directoryOf(path, this.#mounts.get(name)!)
    return directory && join(directory, 'cgroup.procs')
  }
}

/** Mount points of hierarchies by what names them; of two mounts of one, the first that shows all of it. */
export function cgroupMounts(infos: readonly MountInfo[]): Map<string, HierarchyMount> {
  const mounts = new Map<string, HierarchyMount>()
  for (const { type, mountPoint, root, superOptions } of infos) {
    const names = type === 'cgroup2' ? [''] : superOptions.filter((option) => !switches.has(option))
    for (const name of names) {
      const known = mounts.get(name)
      if (known === undefined || (known.root !== '/' && root === '/')) mounts.set(name, { mountPoint, root })
    }
  }
  return mounts
}

/** Options of a hierarchy that name no controller. */
const switches = new Set(['rw', 'ro', 'xattr', 'clone_children', 'noprefix', 'cpuset_v2_mode', 'none'])

function directoryOf(path: string, { mountPoint, root }: HierarchyMount): string | undefined {
  if (root === '/') return join(mountPoint, path)
  return isWithin(path, root) ? join(mountPoint, path.slice(root.length)) : undefined
}
