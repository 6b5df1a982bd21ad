import { accessSync, constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { isFailedPrecondition, NsboxError } from '@nsbox/errors'
import { listMounts, type MountInfo } from '@nsbox/mount'
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

/** The cgroup hierarchies of the host. They do not change while it runs, so one object serves all containers. */
export class CgroupHost {
  /** 2 if the unified hierarchy has all controllers, 1 if other hierarchies have some (cgroup v1 and hybrid hosts). */
  readonly version: 1 | 2
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

  /** Reports when containers of this host run out of memory. @param onWarning called for failures of background work */
  oomWatcher(onWarning: (message: string, error: unknown) => void): OomWatcher {
    return new OomWatcher(this.#mounts.has('memory') ? new EventfdSource() : eventFileSource, onWarning)
  }

  /**
   * The cgroup of a container, found by its first process.
   *
   * @throws not_found if there is no such process; failed_precondition if it has ended, or shares its cgroup with this
   * process
   */
  of(pid: number): ContainerCgroup {
    return this.at(processCgroups(pid))
  }

  /** The cgroup of a path from the root of every hierarchy; undefined for a cgroup that contains this process. */
  named(path: string): ContainerCgroup | undefined {
    try {
      return this.at(new Map([...this.#mounts.keys()].map((name) => [name, path])))
    } catch (error) {
      if (isFailedPrecondition(error)) return undefined
      throw error
    }
  }

  /** As `of`, by the value of `ContainerCgroup.cgroups`; the cgroup need not exist any more. */
  at(cgroups: ProcessCgroups): ContainerCgroup {
    const directories = new Map<string, string>()
    for (const [name, path] of cgroups) {
      const mount = this.#mounts.get(name)
      const own = this.#own.get(name)
      // Cgroups that contain this process are shared with other processes.
      if (mount === undefined || path === '/' || (own !== undefined && isWithin(own, path))) continue
      const directory = directoryOf(path, mount)
      if (directory !== undefined) directories.set(name, directory)
    }
    return new ContainerCgroup(this.version, cgroups, directories)
  }

  /**
   * The cgroup that this process may make others in, by its path in every hierarchy with controllers, empty for the
   * root; undefined if there is none. With the unified hierarchy it is the one above this process's own, since the
   * kernel gives no controllers to children of a cgroup that has processes itself.
   */
  delegated(): string | undefined {
    if (this.#mayMakeIn(() => '/')) return ''
    const above = (own: string) => (this.version === 2 ? dirname(own) : own)
    const paths = new Set(this.#controllers().map(({ own }) => above(own)))
    return paths.size === 1 && this.#mayMakeIn(above) ? [...paths][0] : undefined
  }

  #mayMakeIn(cgroupOf: (own: string) => string): boolean {
    return this.#controllers().every(({ own, mount }) => {
      const directory = directoryOf(cgroupOf(own), mount)
      return directory !== undefined && isWritable(directory)
    })
  }

  /** The hierarchies with controllers: where they are mounted, and this process's cgroup. */
  #controllers(): { readonly own: string; readonly mount: HierarchyMount }[] {
    return [...this.#mounts].flatMap(([name, mount]) => {
      const own = this.#own.get(name)
      // The unified hierarchy of a hybrid host has none.
      const hasNone = this.version === 1 && (name === '' || name.startsWith('name='))
      return own === undefined || hasNone ? [] : [{ own, mount }]
    })
  }

  /** The file of the threads in this process's cgroup; undefined without a unified hierarchy. */
  ownThreads(): string | undefined {
    const mount = this.#mounts.get('')
    const path = processCgroups('self').get('')
    const directory = mount && path && directoryOf(path, mount)
    return directory && join(directory, 'cgroup.threads')
  }
}

/** Mount points of hierarchies by their controllers or names; of two mounts of one, the first that shows all of it. */
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

/** Whether this process may make cgroups in one, and move processes within it. */
function isWritable(directory: string): boolean {
  try {
    for (const path of [directory, join(directory, 'cgroup.procs')]) accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
