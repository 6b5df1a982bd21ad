import type { ImageStore } from '@nsbox/core/images'

/** Makes an empty store; disposing of the subject removes it. */
export type CreateImageStore = () => Promise<{ readonly store: ImageStore } & AsyncDisposable>
