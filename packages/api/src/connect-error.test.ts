import type { ServiceImpl } from '@connectrpc/connect'
import { Code, ConnectError, createClient, createConnectRouter, type Transport } from '@connectrpc/connect'
import { createUniversalHandlerClient } from '@connectrpc/connect/protocol'
import { createTransport as createConnectTransport } from '@connectrpc/connect/protocol-connect'
import { createTransport as createGrpcTransport } from '@connectrpc/connect/protocol-grpc'
import { createTransport as createGrpcWebTransport } from '@connectrpc/connect/protocol-grpc-web'
import { type ErrorCode, isCanceled, NsboxError, sentinels } from '@nsbox/errors'
import { describe, expect, it } from 'vitest'
import { fromConnectError, toConnectError } from './connect-error.ts'
import { Containers } from './gen/services/containers/v1/containers_pb.ts'

const codes = Object.keys(sentinels) as ErrorCode[]

describe('toConnectError', () => {
  it('sends the message of an NsboxError as it is', () => {
    const sent = toConnectError(new NsboxError('not_found', 'content sha256:1'))
    expect(sent.code).toBe(Code.NotFound)
    expect(sent.rawMessage).toBe('content sha256:1: not found')
    expect(sent.details).toEqual([])
  })

  it('sends the canonical number of every code', () => {
    const numbers = codes.map((code) => toConnectError(new NsboxError(code, '')).code)
    expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16])
  })

  it('keeps a ConnectError', () => {
    const error = new ConnectError('no', Code.Aborted)
    expect(toConnectError(error)).toBe(error)
  })

  it('sends aborts and timeouts under their codes', () => {
    const aborted = toConnectError(AbortSignal.abort().reason)
    expect(aborted.code).toBe(Code.Canceled)
    expect(aborted.rawMessage).toMatch(/: context canceled$/)
    const late = toConnectError(new DOMException('too late', 'TimeoutError'))
    expect(late.code).toBe(Code.DeadlineExceeded)
    expect(late.rawMessage).toBe('too late: context deadline exceeded')
  })

  it.each([
    [new Error('boom'), 'boom'],
    [new TypeError(), 'TypeError'],
    ['boom', 'boom'],
    [undefined, 'undefined'],
    [null, 'null'],
  ])('sends %o as unknown, with its message', (thrown, message) => {
    const sent = toConnectError(thrown)
    expect(sent.code).toBe(Code.Unknown)
    expect(sent.rawMessage).toBe(message)
    expect(sent.cause).toBe(thrown)
  })

  it('cuts a long context before the sentinel', () => {
    const sent = toConnectError(new NsboxError('invalid_argument', 'x'.repeat(1 << 20)))
    expect(sent.rawMessage).toHaveLength(4096 + ': invalid argument'.length)
    expect(sent.rawMessage).toMatch(/x…: invalid argument$/)
  })
})

describe('fromConnectError', () => {
  it.each([
    ['content sha256:1: not found', 'content sha256:1'],
    ['not found', ''],
    ['', ''],
    ['content sha256:1', 'content sha256:1'],
    ['a: not found: not found', 'a: not found'],
    ['content is unfound: already exists', 'content is unfound: already exists'],
  ])('reads the context of %j', (message, context) => {
    const error = fromConnectError(new ConnectError(message, Code.NotFound))
    expect(error.code).toBe('not_found')
    expect(error.context).toBe(context)
  })

  it('keeps what was received as the cause', () => {
    const received = new ConnectError('a: not found', Code.NotFound)
    expect(fromConnectError(received).cause).toBe(received)
  })

  it('keeps an NsboxError', () => {
    const error = new NsboxError('not_found', 'a')
    expect(fromConnectError(error)).toBe(error)
  })

  it('gives other errors a code', () => {
    expect(isCanceled(fromConnectError(AbortSignal.abort().reason))).toBe(true)
    expect(fromConnectError(new Error('boom'))).toMatchObject({ code: 'unknown', context: 'boom' })
  })

  it.each([
    '%',
    Buffer.from('[1]').toString('base64'),
    Buffer.from('"a"').toString('base64'),
    Buffer.from('{').toString('base64'),
    Buffer.from('{"a":{"b":1},"c":null}').toString('base64'),
    Buffer.from(JSON.stringify({ a: 'x'.repeat(10_000) })).toString('base64'),
  ])('reads no details from a bad trailer and keeps the error: %#', (trailer) => {
    const received = new ConnectError('a: not found', Code.NotFound, { 'nsbox-error-details-bin': trailer })
    expect(fromConnectError(received)).toMatchObject({ code: 'not_found', context: 'a', details: {} })
  })

  it('B05 keeps a detail called __proto__ a plain property', () => {
    const trailer = Buffer.from('{"__proto__":"x"}').toString('base64')
    const received = new ConnectError('a', Code.NotFound, { 'nsbox-error-details-bin': trailer })
    const { details } = fromConnectError(received)
    expect(Object.getPrototypeOf(details)).toBe(Object.prototype)
    expect(Object.keys(details)).toEqual(['__proto__'])
  })
})

const protocols = { createGrpcTransport, createGrpcWebTransport, createConnectTransport }

/** What a client restores of `thrown` after a protocol has encoded and decoded it. */
async function overTheWire(protocol: keyof typeof protocols, kind: 'unary' | 'stream', thrown: unknown) {
  const router = createConnectRouter()
  const implementation: Partial<ServiceImpl<typeof Containers>> = {
    list: () => {
      throw toConnectError(thrown)
    },
    // biome-ignore lint/correctness/useYield: fails before its first message
    listStream: async function* () {
      throw toConnectError(thrown)
    },
  }
  router.service(Containers, implementation)
  const transport: Transport = protocols[protocol]({
    httpClient: createUniversalHandlerClient(router.handlers),
    baseUrl: 'https://in-memory',
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 1024,
    readMaxBytes: 1 << 24,
    writeMaxBytes: 1 << 24,
  })
  const client = createClient(Containers, transport)
  try {
    if (kind === 'unary') await client.list({})
    else for await (const _ of client.listStream({}));
  } catch (error) {
    return fromConnectError(error)
  }
  throw new Error('the call did not fail')
}

describe.each(Object.keys(protocols) as (keyof typeof protocols)[])('an error through %s', (protocol) => {
  describe.each(['unary', 'stream'] as const)('%s', (kind) => {
    it('arrives with its code, context and details', async () => {
      const details = { offset: 4096, ref: 'läyer-1', retry: true }
      for (const code of codes) {
        const thrown = new NsboxError(code, `content "ä%\n": ${code}`, { details })
        const arrived = await overTheWire(protocol, kind, thrown)
        expect(arrived).toMatchObject({ code, context: thrown.context, message: thrown.message, details })
      }
    })

    it('arrives without details that are too long', async () => {
      const thrown = new NsboxError('not_found', 'a', { details: { text: 'x'.repeat(10_000) } })
      expect(await overTheWire(protocol, kind, thrown)).toMatchObject({ code: 'not_found', details: {} })
    })

    it('arrives even if its message has half a character', async () => {
      const thrown = new NsboxError('invalid_argument', 'key: \u{1f600}'.slice(0, -1))
      const arrived = await overTheWire(protocol, kind, thrown)
      expect(arrived).toMatchObject({ code: 'invalid_argument', context: 'key: \u{fffd}' })
    })
  })
})
