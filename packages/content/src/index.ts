export type {
  AbortOptions,
  CommitOptions,
  ContentInfo,
  ContentManager,
  ContentReader,
  ContentStore,
  ContentWriter,
  Durability,
  IngestManager,
  IngestOptions,
  IngestStatus,
  LocalPaths,
  ReadRange,
} from '@nsbox/core/content'
export { hasLocalPaths, readBlob } from '@nsbox/core/content'
export type { LocalContentStore } from './local-content-store.ts'
export { type OpenContentStoreOptions, openContentStore } from './open-content-store.ts'
