export type {
  AbortOptions,
  ContentInfo,
  ContentManager,
  ContentReader,
  ContentStore,
  IngestManager,
  ReadRange,
} from './content-store.ts'
export type { CommitOptions, ContentWriter, IngestOptions, IngestStatus } from './ingest.ts'
export { readBlob } from './read-blob.ts'
