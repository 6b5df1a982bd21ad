import type { ContainerStore } from '@nsbox/core/containers'

/** Makes a store that holds nothing, and takes it away again when it is disposed of. */
export type CreateContainerStore = () => Promise<{ readonly store: ContainerStore } & AsyncDisposable>
