import { packAny } from '@nsbox/api'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import { ImageImportStreamSchema } from '@nsbox/api/gen/types/transfer/importexport_pb'
import { HTTPDebug, OCIRegistrySchema } from '@nsbox/api/gen/types/transfer/registry_pb'
import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { fromEndpointMessage } from './transfer-endpoint.ts'

const streams: string[] = []
const credentials = (id: string) => {
  streams.push(id)
  return async () => undefined
}
const tell = () => undefined
const log = (id: string) => {
  streams.push(id)
  return tell
}
const beside = { credentials, log }
const refusal = (any: Parameters<typeof fromEndpointMessage>[0]) => {
  try {
    fromEndpointMessage(any, beside)
  } catch (error) {
    return { code: errorCode(error), message: String(error) }
  }
  throw new Error('nothing was thrown')
}

test('a registry comes with how to resolve', () => {
  const any = packAny(OCIRegistrySchema, {
    reference: 'r',
    resolver: { authStream: 's1', headers: { a: 'b' }, hostDir: '/h', defaultScheme: 'http' },
  })
  expect(fromEndpointMessage(any, beside)).toEqual({
    kind: 'registry',
    reference: 'r',
    headers: { a: 'b' },
    hostsDir: '/h',
    defaultScheme: 'http',
    credentials: expect.any(Function),
  })
  expect(streams).toEqual(['s1'])
  const plain = packAny(OCIRegistrySchema, { reference: 'r' })
  expect(fromEndpointMessage(plain, beside)).toEqual({ kind: 'registry', reference: 'r' })
})

test.each([
  [HTTPDebug.DEBUG, { dump: true, trace: false }],
  [HTTPDebug.TRACE, { dump: false, trace: true }],
  [HTTPDebug.BOTH, { dump: true, trace: true }],
])('a registry comes with what to tell of its requests: %s', (httpDebug, wish) => {
  const resolver = { httpDebug, logsStream: 'logs' }
  expect(fromEndpointMessage(packAny(OCIRegistrySchema, { reference: 'r', resolver }), beside)).toMatchObject(
    {
      requestLog: { ...wish, tell },
    },
  )
  expect(streams.splice(0).at(-1)).toBe('logs')
})

test('E08 an image that is to be looked at in very many ways is refused', () => {
  const platform = { os: 'linux', architecture: 'arm64' }
  const of = (count: number) => ({ length: count })
  for (const store of [
    { platforms: Array.from(of(33), () => platform) },
    { unpacks: Array.from(of(33), () => ({ platform, snapshotter: '' })) },
    { extraReferences: Array.from(of(33), () => ({ name: 'x' })) },
  ])
    expect(refusal(packAny(ImageStoreSchema, { name: 'i', ...store })).code).toBe('invalid_argument')
  const most = { platforms: Array.from(of(32), () => platform) }
  expect(fromEndpointMessage(packAny(ImageStoreSchema, { name: 'i', ...most }), beside)).toMatchObject(most)
})

test('an image comes with what to take', () => {
  const any = packAny(ImageStoreSchema, {
    name: 'i',
    labels: { a: 'b' },
    platforms: [{ os: 'linux', architecture: 'aarch64' }],
    allMetadata: true,
    manifestLimit: 2,
    unpacks: [
      { platform: { os: 'linux', architecture: 'x86_64' }, snapshotter: 'native' },
      { snapshotter: '' },
    ],
  })
  expect(fromEndpointMessage({ ...any, typeUrl: `type.googleapis.com/${any.typeUrl}` }, beside)).toEqual({
    kind: 'image',
    name: 'i',
    labels: { a: 'b' },
    platforms: [{ os: 'linux', architecture: 'arm64' }],
    allMetadata: true,
    manifestLimit: 2,
    unpacks: [{ platform: { os: 'linux', architecture: 'amd64' }, snapshotter: 'native' }, {}],
  })
})

test.each([
  ['nothing', undefined, 'invalid_argument', 'must be set'],
  ['an image without a name', packAny(ImageStoreSchema, {}), 'invalid_argument', 'name'],
  ['a registry without a reference', packAny(OCIRegistrySchema, {}), 'invalid_argument', 'reference'],
  [
    'a scheme that is none',
    packAny(OCIRegistrySchema, { reference: 'r', resolver: { defaultScheme: 'ftp' } }),
    'invalid_argument',
    'default_scheme',
  ],
  [
    'an empty prefix',
    packAny(ImageStoreSchema, { name: 'i', extraReferences: [{ isPrefix: true }] }),
    'invalid_argument',
    'extra_references',
  ],
  [
    'a log of requests to nobody',
    packAny(OCIRegistrySchema, { reference: 'r', resolver: { httpDebug: HTTPDebug.TRACE } }),
    'unimplemented',
    'http_debug',
  ],
  [
    'an archive to write to',
    packAny(ImageImportStreamSchema, { stream: 's' }),
    'unimplemented',
    'ImageImportStream',
  ],
  [
    'malformed bytes',
    { typeUrl: OCIRegistrySchema.typeName, value: new Uint8Array([255]) },
    'invalid_argument',
    'malformed',
  ],
])('%s is refused by name', (_, any, code, message) => {
  const refused = refusal(any)
  expect(refused.code).toBe(code)
  expect(refused.message).toContain(message)
})
