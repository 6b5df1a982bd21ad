import { join } from 'node:path'
import { Bundles, ImageDirectories, noUses } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses } from '@nsbox/core/tasks'
import { makePassable } from '@nsbox/mount'
import { openSupervisor } from '@nsbox/supervisor'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { CgroupHost } from './cgroups/cgroup-host.ts'
import { Shortcuts } from './runc-internals/shortcuts.ts'
import { RuncRuntime } from './runc-runtime.ts'

/** How to open a runtime. */
export interface OpenRuncRuntimeOptions {
  /**
   * An absolute path on a local file system that is empty after a start of the host, used by one process at a time;
   * made (0711) if it does not exist. Containers in user namespaces need the directories above to let anybody through.
   */
  readonly directory: string
  /**
   * An absolute path for images of checkpoints, each as big as the memory of its processes, used by one process at a
   * time; made when there are any. What is left there of an earlier process is removed. `images` in `directory` by
   * default.
   */
  readonly images?: string | undefined
  /**
   * The program that makes containers, unless a task names another: a path, or a name to be found; `runc` by default.
   */
  readonly binary?: string | undefined
  /**
   * Whether what `runc start` and `runc delete` do is done without running runc, and runc is executed from a copy in
   * memory, once a runc has been found to be as expected by containers of its own (see the package's README); true by
   * default.
   */
  readonly shortcuts?: boolean | undefined
  /**
   * Told of what tasks are about to be given of the host, and, before the promise resolves, of what those of an earlier
   * process have; nobody by default.
   */
  readonly uses?: PathUses | undefined
  /** Told of what happens to tasks, in order. */
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Told of what goes wrong where nobody waits. */
  readonly onWarning?: ((message: string, error?: unknown) => void) | undefined
  /**
   * Told, once for each program and a second after it was first used, that its version has known escapes; programs are
   * not asked by default.
   */
  readonly onKnownEscapes?: ((message: string) => void) | undefined
}

/**
 * Opens the runtime of a directory. Tasks that an earlier process has left are there when the promise resolves, and
 * what has happened to them meanwhile has been told.
 */
export async function openRuncRuntime({
  directory,
  images = join(directory, 'images'),
  binary = 'runc',
  shortcuts = true,
  uses = noUses,
  onEvent,
  onWarning = () => {},
  onKnownEscapes,
}: OpenRuncRuntimeOptions): Promise<RuncRuntime> {
  await using opening = new AsyncDisposableStack()
  const cgroups = await CgroupHost.open()
  makePassable(directory)
  const supervisor = opening.use(
    await openSupervisor({ directory: join(directory, 'supervisor'), onWarning }),
  )
  const runtime = new RuncRuntime({
    supervisor,
    shortcuts: new Shortcuts({ enabled: shortcuts, directory, supervisor, cgroups, onWarning }),
    cgroups,
    images: new ImageDirectories(images),
    bundles: new Bundles(join(directory, 'bundles')),
    defaults: { binary, root: join(directory, 'runc') },
    uses,
    onEvent,
    onWarning,
    onKnownEscapes,
  })
  await runtime.recover()
  opening.move()
  return runtime
}
