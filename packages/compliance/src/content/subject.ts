import type { ContentStore } from '@nsbox/core/content'

/** Makes a store that holds nothing, and takes it away again when it is disposed of. */
export type CreateContentStore = () => Promise<{ readonly store: ContentStore } & AsyncDisposable>
