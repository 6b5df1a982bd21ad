import type { ImageStore } from '@nsbox/core/images'

/** Makes a store that holds nothing, and takes it away again when it is disposed of. */
export type CreateImageStore = () => Promise<{ readonly store: ImageStore } & AsyncDisposable>
