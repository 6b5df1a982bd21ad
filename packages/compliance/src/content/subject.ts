import type { ContentStore } from '@nsbox/core/content'

/** Makes an empty store; disposing of the subject removes it. */
export type CreateContentStore = () => Promise<{ readonly store: ContentStore } & AsyncDisposable>
