export type { AbortOptions } from '@nsbox/concurrency'
export type { Durability } from '../durability.ts'
export type { ContentInfo } from './content-info.ts'
export type {
  ContentManager,
  ContentReader,
  ContentStore,
  IngestManager,
  ReadRange,
} from './content-store.ts'
export { type FindManifestOptions, findManifest, maxIndexDepth } from './find-manifest.ts'
export type { CommitOptions, ContentWriter, IngestOptions, IngestStatus } from './ingest.ts'
export { type IngestLock, type IngestLockOptions, IngestLocks, ingestDiscarded } from './ingest-locks.ts'
export { hasLocalPaths, type LocalPaths } from './local-paths.ts'
export { provedBlob } from './proved-blob.ts'
export { readBlob } from './read-blob.ts'
export { readImageConfig, readIndex, readManifest } from './read-document.ts'
