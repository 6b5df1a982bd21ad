import type { MessageShape } from '@bufbuild/protobuf'
import { type AnyLike, typeName, unpackAny } from '@nsbox/api'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import {
  HTTPDebug,
  OCIRegistrySchema,
  type RegistryResolverSchema,
} from '@nsbox/api/gen/types/transfer/registry_pb'
import type {
  CredentialSource,
  ImageEndpoint,
  RegistryEndpoint,
  TransferEndpoint,
} from '@nsbox/core/transfer'
import { NsboxError, quoted } from '@nsbox/errors'
import { fromPlatformMessage, fromPlatformMessages } from './platform.ts'

/** Finds the source of credentials that a client offers on a stream. */
export type StreamedCredentials = (streamId: string) => CredentialSource

/**
 * The source or destination of a transfer, as a client describes it.
 *
 * @throws `invalid_argument` if it is malformed; `unimplemented` for another kind of endpoint or for unsupported
 * options, naming them
 */
export function fromEndpointMessage(
  any: AnyLike | undefined,
  credentials: StreamedCredentials,
): TransferEndpoint {
  if (any === undefined) throw new NsboxError('invalid_argument', 'source and destination must be set')
  switch (typeName(any)) {
    case OCIRegistrySchema.typeName:
      return registryEndpoint(unpackAny(OCIRegistrySchema, any), credentials)
    case ImageStoreSchema.typeName:
      return imageEndpoint(unpackAny(ImageStoreSchema, any))
    default:
      throw new NsboxError('unimplemented', `transfer from or to ${quoted(typeName(any))}`)
  }
}

function registryEndpoint(
  { reference, resolver }: MessageShape<typeof OCIRegistrySchema>,
  credentials: StreamedCredentials,
): RegistryEndpoint {
  if (reference === '') throw new NsboxError('invalid_argument', 'reference must not be empty')
  const endpoint = { kind: 'registry', reference } as const
  return resolver === undefined ? endpoint : { ...endpoint, ...resolution(resolver, credentials) }
}

function resolution(
  resolver: MessageShape<typeof RegistryResolverSchema>,
  credentials: StreamedCredentials,
): Omit<RegistryEndpoint, 'kind' | 'reference'> {
  const { authStream, headers, hostDir, defaultScheme, httpDebug, logsStream } = resolver
  if (httpDebug !== HTTPDebug.DISABLED || logsStream !== '') {
    throw new NsboxError('unimplemented', 'http_debug and logs_stream of a registry')
  }
  if (defaultScheme !== '' && defaultScheme !== 'http' && defaultScheme !== 'https') {
    throw new NsboxError('invalid_argument', `default_scheme ${quoted(defaultScheme)}`)
  }
  return {
    headers,
    ...(hostDir === '' ? {} : { hostsDir: hostDir }),
    ...(defaultScheme === '' ? {} : { defaultScheme }),
    ...(authStream === '' ? {} : { credentials: credentials(authStream) }),
  }
}

/** Most snapshotters to unpack to, and most references for images of an archive: each takes a pass over all of it. */
const maxEach = 32

function imageEndpoint(store: MessageShape<typeof ImageStoreSchema>): ImageEndpoint {
  if (store.unpacks.length > maxEach || store.extraReferences.length > maxEach)
    throw new NsboxError(
      'invalid_argument',
      `more than ${maxEach} ways to unpack, or references, of an image store`,
    )
  if (store.name === '' && store.extraReferences.length === 0)
    throw new NsboxError('invalid_argument', 'name of an image must not be empty')
  if (store.extraReferences.some(({ name }) => name === ''))
    throw new NsboxError('invalid_argument', 'extra_references of an image store: an empty name')
  return {
    kind: 'image',
    name: store.name,
    labels: store.labels,
    platforms: fromPlatformMessages(store.platforms),
    allMetadata: store.allMetadata,
    ...(store.manifestLimit > 0 && { manifestLimit: store.manifestLimit }),
    unpacks: store.unpacks.map(({ platform, snapshotter }) => ({
      ...(platform && { platform: fromPlatformMessage(platform) }),
      ...(snapshotter !== '' && { snapshotter }),
    })),
    ...(store.extraReferences.length > 0 && {
      references: store.extraReferences.map(
        ({ name, isPrefix, allowOverwrite, addDigest, skipNamedDigest }) => {
          return { name, isPrefix, allowOverwrite, addDigest, skipNamedDigest }
        },
      ),
    }),
  }
}
