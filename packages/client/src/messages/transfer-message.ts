import type { MessageInitShape } from '@bufbuild/protobuf'
import { type AnyLike, toSafeNumber, unpackAny } from '@nsbox/api'
import type { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import type {
  ImageExportStreamSchema,
  ImageImportStreamSchema,
} from '@nsbox/api/gen/types/transfer/importexport_pb'
import { ProgressSchema } from '@nsbox/api/gen/types/transfer/progress_pb'
import {
  AuthRequestSchema,
  type AuthResponseSchema,
  AuthType,
  HTTPDebug,
  type OCIRegistrySchema,
} from '@nsbox/api/gen/types/transfer/registry_pb'
import type {
  ArchiveSink,
  ArchiveSource,
  CredentialRequest,
  Credentials,
  ImageEndpoint,
  RegistryEndpoint,
  RequestLog,
  TransferProgress,
} from '@nsbox/core/transfer'
import { receivedDescriptor } from './descriptor-message.ts'
import { platformMessage } from './platform-message.ts'

/**
 * A place on a registry for a request.
 * @param streams ids of the stream that answers for credentials, and of the one on which requests are told of
 */
export function registryMessage(
  endpoint: RegistryEndpoint,
  { credentials, log }: { readonly credentials?: string | undefined; readonly log?: string | undefined },
): MessageInitShape<typeof OCIRegistrySchema> {
  return {
    reference: endpoint.reference,
    resolver: {
      authStream: credentials ?? '',
      headers: { ...endpoint.headers },
      hostDir: endpoint.hostsDir ?? '',
      defaultScheme: endpoint.defaultScheme ?? '',
      httpDebug: debugOf(endpoint.requestLog),
      logsStream: log ?? '',
    },
  }
}

function debugOf({ dump = false, trace = false }: Partial<RequestLog> = {}): HTTPDebug {
  if (dump) return trace ? HTTPDebug.BOTH : HTTPDebug.DEBUG
  return trace ? HTTPDebug.TRACE : HTTPDebug.DISABLED
}

/** An image of the store for a request. */
export function imageStoreMessage(endpoint: ImageEndpoint): MessageInitShape<typeof ImageStoreSchema> {
  return {
    name: endpoint.name,
    labels: { ...endpoint.labels },
    platforms: (endpoint.platforms ?? []).map(platformMessage),
    allMetadata: endpoint.allMetadata ?? false,
    manifestLimit: endpoint.manifestLimit ?? 0,
    unpacks: (endpoint.unpacks ?? []).map(({ platform, snapshotter = '' }) => {
      return { snapshotter, ...(platform && { platform: platformMessage(platform) }) }
    }),
    extraReferences: (endpoint.references ?? []).map((reference) => ({ ...reference })),
  }
}

/** An archive that is sent, for a request. @param stream id of the stream that carries it */
export function importMessage(
  { compressBlobs = false }: ArchiveSource,
  stream: string,
): MessageInitShape<typeof ImageImportStreamSchema> {
  return { stream, forceCompress: compressBlobs }
}

/** An archive that is taken, for a request. @param stream id of the stream that carries it */
export function exportMessage(
  { platforms = [], skipDockerManifest = false, skipNonDistributable = false }: ArchiveSink,
  stream: string,
): MessageInitShape<typeof ImageExportStreamSchema> {
  return {
    stream,
    platforms: platforms.map(platformMessage),
    allPlatforms: platforms.length === 0,
    skipCompatibilityManifest: skipDockerManifest,
    skipNonDistributable,
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

/** Credentials for an auth stream. */
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
