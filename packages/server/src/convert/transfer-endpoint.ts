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
  RequestLog,
  TransferEndpoint,
} from '@nsbox/core/transfer'
import { NsboxError, quoted } from '@nsbox/errors'
import { fromPlatformMessage, fromPlatformMessages } from './platform.ts'

/** What a client offers on streams beside a transfer, by their ids. */
export interface EndpointStreams {
  /** Where it answers for credentials. */
  readonly credentials: (streamId: string) => CredentialSource
  /** Where it reads of the requests. */
  readonly log: (streamId: string) => RequestLog['tell']
}

/**
 * The source or destination of a transfer, as a client describes it.
 *
 * @throws `invalid_argument` if it is malformed; `unimplemented` for another kind of endpoint or for unsupported
 * options, naming them
 */
export function fromEndpointMessage(any: AnyLike | undefined, streams: EndpointStreams): TransferEndpoint {
  if (any === undefined) throw new NsboxError('invalid_argument', 'source and destination must be set')
  switch (typeName(any)) {
    case OCIRegistrySchema.typeName:
      return registryEndpoint(unpackAny(OCIRegistrySchema, any), streams)
    case ImageStoreSchema.typeName:
      return imageEndpoint(unpackAny(ImageStoreSchema, any))
    default:
      throw new NsboxError('unimplemented', `transfer from or to ${quoted(typeName(any))}`)
  }
}

function registryEndpoint(
  { reference, resolver }: MessageShape<typeof OCIRegistrySchema>,
  streams: EndpointStreams,
): RegistryEndpoint {
  if (reference === '') throw new NsboxError('invalid_argument', 'reference must not be empty')
  const endpoint = { kind: 'registry', reference } as const
  return resolver === undefined ? endpoint : { ...endpoint, ...resolution(resolver, streams) }
}

const logging: ReadonlyMap<HTTPDebug, Pick<RequestLog, 'dump' | 'trace'>> = new Map([
  [HTTPDebug.DISABLED, { dump: false, trace: false }],
  [HTTPDebug.DEBUG, { dump: true, trace: false }],
  [HTTPDebug.TRACE, { dump: false, trace: true }],
  [HTTPDebug.BOTH, { dump: true, trace: true }],
])

function resolution(
  resolver: MessageShape<typeof RegistryResolverSchema>,
  { credentials, log }: EndpointStreams,
): Omit<RegistryEndpoint, 'kind' | 'reference'> {
  const { authStream, headers, hostDir, defaultScheme, httpDebug, logsStream } = resolver
  const logged = logging.get(httpDebug)
  if (logged === undefined) throw new NsboxError('invalid_argument', `http_debug ${httpDebug}`)
  const isLogged = logged.dump || logged.trace
  if (isLogged && logsStream === '')
    throw new NsboxError('unimplemented', 'http_debug of a registry without a logs_stream')
  if (defaultScheme !== '' && defaultScheme !== 'http' && defaultScheme !== 'https') {
    throw new NsboxError('invalid_argument', `default_scheme ${quoted(defaultScheme)}`)
  }
  return {
    headers,
    ...(hostDir === '' ? {} : { hostsDir: hostDir }),
    ...(defaultScheme === '' ? {} : { defaultScheme }),
    ...(authStream === '' ? {} : { credentials: credentials(authStream) }),
    ...(isLogged && { requestLog: { ...logged, tell: log(logsStream) } }),
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
