import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Bundles, ImageDirectories, noUses, readBundleLog, taskRecords } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses } from '@nsbox/core/tasks'
import { makePassable } from '@nsbox/mount'
import { openSupervisor } from '@nsbox/supervisor'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { CgroupHost } from './cgroups/cgroup-host.ts'
import { hostLimits } from './rootless/host-limits.ts'
import { Shortcuts } from './runc-internals/shortcuts.ts'
import { RuncRuntime } from './runc-runtime.ts'
import { refuseNewerTasks } from './tasks/recover-tasks.ts'

/** How to open a runtime. */
export interface OpenRuncRuntimeOptions {
  /**
   * An absolute path on a local file system that is empty after a start of the host, used by one process at a time;
   * made (0711) if it does not exist. Containers in user namespaces need search permission on the directories above.
   */
  readonly directory: string
  /**
   * Where bundles are, if not in `bundles` of `directory`: an absolute path on the same file system. A runtime of shims
   * may have its own there as well. Tasks whose bundles are in `bundles` of `directory` are taken over as well.
   */
  readonly bundles?: string | undefined
  /**
   * An absolute path for images of checkpoints, each as big as the memory of its processes, used by one process at a
   * time; made when needed. Images of an earlier process are removed. `images` in `directory` by default.
   */
  readonly images?: string | undefined
  /**
   * The program that makes containers, unless a task names another: a path, or a name to be found; `runc` by default.
   */
  readonly binary?: string | undefined
  /**
   * Whether the work of `runc start` and `runc delete` is done without running runc, and runc is executed from a copy
   * in memory. Only with a runc that test containers have proved to be as expected (see the package's README); true by
   * default.
   */
  readonly shortcuts?: boolean | undefined
  /**
   * Registers the paths of the host that tasks get, before they get them, and, before the promise resolves, those of an
   * earlier process's tasks; by default they are not registered.
   */
  readonly uses?: PathUses | undefined
  /** Called with the events of tasks, in order. */
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Called with each line that hooks, or programs in place of runc, write to the FIFO `log` of their bundle. */
  readonly onLog?: ((line: string) => void) | undefined
  /**
   * Path of a shim that also runs tasks of runc, which each bundle tells in the file `shim-binary-path`, for programs
   * that look for one there. It is not run; by default there is no such file.
   */
  readonly shimPath?: string | undefined
  /** Called with failures of background work. */
  readonly onWarning?: ((message: string, error?: unknown) => void) | undefined
  /**
   * Called once for each program whose version has known escapes, a second after its first use; by default programs are
   * not asked.
   */
  readonly onKnownEscapes?: ((message: string) => void) | undefined
}

/**
 * Opens the runtime of a directory. When the promise resolves, the tasks of an earlier process have been taken over,
 * and events of what happened meanwhile have been emitted.
 *
 * @throws `failed_precondition` if a newer program has left tasks or supervisors there, which go on as they are
 */
export async function openRuncRuntime({
  directory,
  bundles: path = join(directory, 'bundles'),
  images = join(directory, 'images'),
  binary = 'runc',
  shortcuts = true,
  uses = noUses,
  onEvent,
  onLog = () => {},
  shimPath,
  onWarning = () => {},
  onKnownEscapes,
}: OpenRuncRuntimeOptions): Promise<RuncRuntime> {
  await using opening = new AsyncDisposableStack()
  const cgroups = await CgroupHost.open()
  const limits = hostLimits(cgroups)
  makePassable(directory)
  const bundles = new Bundles(path, taskRecords.runc)
  const places = new Set([path, join(directory, 'bundles')])
  const left = [...places].flatMap((place) => new Bundles(place, taskRecords.runc).list())
  refuseNewerTasks(left)
  const log = opening.use(readBundleLog(join(directory, 'log'), onLog))
  const supervisor = opening.use(
    await openSupervisor({ directory: join(directory, 'supervisor'), onWarning }),
  )
  const runtime = new RuncRuntime({
    supervisor,
    limits,
    shortcuts: new Shortcuts({
      // The probe's containers have cgroups of their own, at the root of the hierarchies.
      enabled: shortcuts && (limits === undefined || limits.cgroup === ''),
      ...{ directory, supervisor, cgroups, onWarning },
    }),
    cgroups,
    images: new ImageDirectories(images),
    bundles,
    log,
    shimPathFile: shimPathFile(directory, shimPath),
    defaults: { binary, root: join(directory, 'runc') },
    uses,
    onEvent,
    onWarning,
    onKnownEscapes,
  })
  await runtime.recover(left)
  opening.move()
  return runtime
}

/** Writes the path of a shim to the file that bundles share; undefined without one. Earlier bundles keep theirs. */
function shimPathFile(directory: string, shimPath: string | undefined): string | undefined {
  const file = join(directory, 'shim-binary-path')
  rmSync(file, { force: true })
  if (shimPath === undefined) return undefined
  writeFileSync(file, shimPath, { flag: 'wx', mode: 0o600 })
  return file
}
