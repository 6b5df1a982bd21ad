import type { Bundles, ImageDirectories } from '@nsbox/bundle'
import type { DomainEvent } from '@nsbox/core/events'
import type { PathUses } from '@nsbox/core/tasks'
import type { ServerAddresses } from '../shim/shim-command.ts'

/** What all tasks of a runtime share. */
export interface ShimContext {
  readonly bundles: Bundles
  readonly images: ImageDirectories
  readonly addresses: ServerAddresses
  readonly searchPath: string | undefined
  /** Tracks the paths of the host that tasks get. */
  readonly uses: PathUses
  /** Takes events of tasks whose shim is gone. Must not throw. */
  readonly onEvent: (namespace: string, event: DomainEvent) => void
  /** Takes failures of background work. */
  readonly onWarning: (message: string, error?: unknown) => void
  readonly onLog: (line: string, of: { readonly namespace: string; readonly id: string }) => void
}
