export type { CredentialRequest, CredentialSource, Credentials } from './credentials.ts'
export type { Remote } from './remote.ts'
export type {
  ArchiveSink,
  ArchiveSource,
  ImageEndpoint,
  ImageReference,
  ProgressListener,
  RegistryEndpoint,
  RequestLog,
  TransferDestination,
  TransferEndpoint,
  TransferProgress,
  Transferrer,
  TransferSource,
  UnpackTarget,
} from './transfer.ts'
