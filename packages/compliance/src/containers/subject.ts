import type { ContainerStore } from '@nsbox/core/containers'

/** Makes an empty store; disposing of the subject removes it. */
export type CreateContainerStore = () => Promise<{ readonly store: ContainerStore } & AsyncDisposable>
