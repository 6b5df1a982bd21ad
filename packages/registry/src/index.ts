export type {
  CredentialRequest,
  CredentialSource,
  Credentials,
  Remote,
} from '@nsbox/core/transfer'
export { type DockerCredentialsOptions, dockerCredentials } from './auth/docker-credentials.ts'
export type { RequestTrace } from './http/connections.ts'
export type { RegistryLimits } from './limits.ts'
export { createRegistry, type Registry, type RegistryOptions, type RegistryTls } from './registry.ts'
export type { RegistryRemote } from './repository/remote-repository.ts'
export { logListeners } from './request-log.ts'
