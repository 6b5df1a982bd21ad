import { Bundles, ImageDirectories, noUses, taskRecords } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses } from '@nsbox/core/tasks'
import { makePassable } from '@nsbox/mount'
import { ShimRuntime } from './shim-runtime.ts'

/** How to open a runtime of shims. */
export interface OpenShimRuntimeOptions {
  /**
   * An absolute path on a local file system that is empty after a start of the host, used by one process at a time;
   * made (0711) if it does not exist. A runtime of runc may have its bundles there as well. Containers in user
   * namespaces need search permission on the directories above.
   */
  readonly directory: string
  /** An absolute path for images of checkpoints; made when needed. */
  readonly images: string
  /** Path of the server's socket, which shims get. */
  readonly address: string
  /** Path of the socket for events of shims. */
  readonly ttrpcAddress: string
  /** Where to look for programs of shims, in the form of `PATH`; that of this process by default. */
  readonly searchPath?: string | undefined
  /**
   * Registers the paths of the host that tasks get, and those of an earlier process's tasks; by default they are not
   * registered.
   */
  readonly uses?: PathUses | undefined
  /** Called with events of tasks whose shim is gone, such as their end. */
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Called with failures of background work. */
  readonly onWarning?: ((message: string, error?: unknown) => void) | undefined
  /** Called with each line that a shim logs. */
  readonly onLog?:
    | ((line: string, of: { readonly namespace: string; readonly id: string }) => void)
    | undefined
}

/**
 * Opens the runtime of a directory. When the promise resolves it is connected to the shims of an earlier process, and
 * tasks whose shims are gone have been cleaned up and their ends reported.
 */
export async function openShimRuntime({
  directory,
  images,
  address,
  ttrpcAddress,
  searchPath = process.env.PATH,
  uses = noUses,
  onEvent,
  onWarning = () => {},
  onLog = () => {},
}: OpenShimRuntimeOptions): Promise<ShimRuntime> {
  makePassable(directory)
  const runtime = new ShimRuntime({
    bundles: new Bundles(directory, taskRecords.shim),
    images: new ImageDirectories(images),
    addresses: { address, ttrpcAddress },
    searchPath,
    uses,
    onEvent,
    onWarning,
    onLog,
  })
  await runtime.recover()
  return runtime
}
