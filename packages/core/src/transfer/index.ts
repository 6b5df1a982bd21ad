export type { CredentialRequest, CredentialSource, Credentials } from './credentials.ts'
export type { Remote } from './remote.ts'
export type {
  ArchiveSink,
  ArchiveSource,
  ImageEndpoint,
  ImageReference,
  ProgressListener,
  RegistryEndpoint,
  TransferDestination,
  TransferEndpoint,
  TransferProgress,
  Transferrer,
  TransferSource,
  UnpackTarget,
} from './transfer.ts'
