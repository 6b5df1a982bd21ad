import type { MessageInitShape } from '@bufbuild/protobuf'
import { type AnyLike, toSafeNumber, unpackAny } from '@nsbox/api'
import type { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import { ProgressSchema } from '@nsbox/api/gen/types/transfer/progress_pb'
import {
  AuthRequestSchema,
  type AuthResponseSchema,
  AuthType,
  type OCIRegistrySchema,
} from '@nsbox/api/gen/types/transfer/registry_pb'
import type {
  CredentialRequest,
  Credentials,
  ImageEndpoint,
  RegistryEndpoint,
  TransferProgress,
} from '@nsbox/core/transfer'
import { receivedDescriptor } from './descriptor-message.ts'
import { platformMessage } from './platform-message.ts'

/** A place on a registry for a request. @param authStream id of the stream that answers for credentials */
export function registryMessage(
  endpoint: RegistryEndpoint,
  authStream: string | undefined,
): MessageInitShape<typeof OCIRegistrySchema> {
  return {
    reference: endpoint.reference,
    resolver: {
      authStream: authStream ?? '',
      headers: { ...endpoint.headers },
      hostDir: endpoint.hostsDir ?? '',
      defaultScheme: endpoint.defaultScheme ?? '',
    },
  }
}

/** An image of the store for a request. */
export function imageStoreMessage(endpoint: ImageEndpoint): MessageInitShape<typeof ImageStoreSchema> {
  return {
    name: endpoint.name,
    labels: { ...endpoint.labels },
    platforms: (endpoint.platforms ?? []).map(platformMessage),
    allMetadata: endpoint.allMetadata ?? false,
    unpacks: (endpoint.unpacks ?? []).map(({ platform, snapshotter = '' }) => {
      return { snapshotter, ...(platform && { platform: platformMessage(platform) }) }
    }),
  }
}

/** A step of a transfer from its progress stream. */
export function receivedProgress(any: AnyLike): TransferProgress {
  const { event, name, parents, progress, total, desc } = unpackAny(ProgressSchema, any)
  return {
    event,
    name,
    parents,
    progress: toSafeNumber(progress, 'progress'),
    total: toSafeNumber(total, 'total'),
    ...(desc && { descriptor: receivedDescriptor(desc) }),
  }
}

/** A question from an auth stream. */
export function receivedCredentialRequest(any: AnyLike): CredentialRequest {
  const { host, reference, wwwauthenticate } = unpackAny(AuthRequestSchema, any)
  return { host, challenges: wwwauthenticate, ...(reference && { reference }) }
}

/** The answer to it. */
export function credentialsMessage(
  credentials: Credentials | undefined,
): MessageInitShape<typeof AuthResponseSchema> {
  switch (credentials?.kind) {
    case undefined:
      return { authType: AuthType.NONE }
    case 'basic':
      return { authType: AuthType.CREDENTIALS, username: credentials.username, secret: credentials.password }
    case 'refresh':
      return { authType: AuthType.REFRESH, secret: credentials.token }
    case 'header':
      return { authType: AuthType.HEADER, secret: credentials.authorization }
  }
}
