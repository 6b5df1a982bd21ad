import { Bundles, ImageDirectories, noUses } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses } from '@nsbox/core/tasks'
import { makePassable } from '@nsbox/mount'
import { ShimRuntime } from './shim-runtime.ts'

/** How to open a runtime of shims. */
export interface OpenShimRuntimeOptions {
  /**
   * An absolute path on a local file system that is empty after a start of the host, used by one process at a time;
   * made (0711) if it does not exist. Containers in user namespaces need the directories above to let anybody through.
   */
  readonly directory: string
  /** An absolute path for images of checkpoints; made when there are any. */
  readonly images: string
  /** Path of the server's socket, which shims are told. */
  readonly address: string
  /** Path of the socket that takes the events of shims. */
  readonly ttrpcAddress: string
  /** Where programs of shims are looked for, as the variable `PATH` has it; that of this process by default. */
  readonly searchPath?: string | undefined
  /** Told of what tasks are about to be given of the host, and of what those of an earlier process have. */
  readonly uses?: PathUses | undefined
  /** Told of what no shim tells, since it is gone: the end of its tasks. */
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Told of what goes wrong where nobody waits. */
  readonly onWarning?: ((message: string, error?: unknown) => void) | undefined
  /** Told of each line that a shim logs. */
  readonly onLog?:
    | ((line: string, of: { readonly namespace: string; readonly id: string }) => void)
    | undefined
}

/**
 * Opens the runtime of a directory. When the promise resolves it is connected to the shims of an earlier process, and
 * what those have left that are gone has been cleaned up and told.
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
    bundles: new Bundles(directory),
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
