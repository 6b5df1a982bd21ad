export type { CredentialRequest, CredentialSource, Credentials } from './credentials.ts'
export type { Remote } from './remote.ts'
export type {
  ImageEndpoint,
  ProgressListener,
  RegistryEndpoint,
  TransferEndpoint,
  TransferProgress,
  Transferrer,
  UnpackTarget,
} from './transfer.ts'
