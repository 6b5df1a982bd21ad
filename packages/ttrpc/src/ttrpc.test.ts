import { type Client, Code, ConnectError } from '@connectrpc/connect'
import { NsboxError } from '@nsbox/errors'
import { afterEach, describe, expect, it } from 'vitest'
import { connectTtrpc } from './client/connect-ttrpc.ts'
import { maxFrameBytes } from './frame.ts'
import type { Echo } from './testing/echo-service.ts'
import { type ServedEcho, serveEcho } from './testing/serve-echo.ts'

let echo: ServedEcho | undefined
afterEach(async () => {
  await echo?.[Symbol.asyncDispose]()
  echo = undefined
})

async function client(implementation: Parameters<typeof serveEcho>[0]): Promise<Client<typeof Echo>> {
  echo = await serveEcho(implementation)
  return echo.client
}

async function* texts(...values: readonly string[]) {
  for (const value of values) yield { value }
}

async function all(answers: AsyncIterable<{ value: string }>): Promise<string[]> {
  const values: string[] = []
  for await (const { value } of answers) values.push(value)
  return values
}

const code = (call: Promise<unknown>) =>
  call.then(
    () => 'success',
    (error: unknown) => Code[ConnectError.from(error).code],
  )

/** Resolves when a signal is aborted. */
const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

describe('a call over ttrpc', () => {
  it('of one message has one answer', async () => {
    const { unary } = await client({ unary: ({ value }) => ({ value: `${value}!` }) })
    expect((await unary({ value: 'hello' })).value).toBe('hello!')
  })

  it('may have an empty message and an empty answer', async () => {
    const { unary } = await client({ unary: () => ({}) })
    expect((await unary({})).value).toBe('')
  })

  it('can be made while others are under way, and is answered before them', async () => {
    let release = () => {}
    const { unary } = await client({
      async unary({ value }) {
        if (value === 'slow') await new Promise<void>((resolve) => (release = resolve))
        return { value }
      },
    })
    const slow = unary({ value: 'slow' })
    expect((await unary({ value: 'fast' })).value).toBe('fast')
    release()
    expect((await slow).value).toBe('slow')
  })

  it('of one message has a stream of answers, empty ones included', async () => {
    const { server } = await client({
      async *server({ value }) {
        yield* texts(value, '', value)
      },
    })
    expect(await all(server({ value: 'a' }))).toEqual(['a', '', 'a'])
    expect(await all(server({ value: '' }))).toEqual(['', '', ''])
  })

  it('of many messages has one answer', async () => {
    const calls = await client({ client: async (messages) => ({ value: (await all(messages)).join() }) })
    expect((await calls.client(texts('a', '', 'b'))).value).toBe('a,,b')
    expect((await calls.client(texts())).value).toBe('')
  })

  it('of many messages has answers while they come', async () => {
    const { both } = await client({
      async *both(messages) {
        for await (const { value } of messages) yield { value: value.toUpperCase() }
      },
    })
    const answered: string[] = []
    let wake = () => {}
    async function* inTurns() {
      for (const value of ['a', 'b', 'c']) {
        yield { value }
        if (answered.at(-1) !== value.toUpperCase()) await new Promise<void>((resolve) => (wake = resolve))
      }
    }
    for await (const { value } of both(inTurns())) {
      answered.push(value)
      wake()
    }
    expect(answered).toEqual(['A', 'B', 'C'])
  })

  it('fails with the code and words of the error, at its beginning or after answers', async () => {
    const failure = new NsboxError('not_found', 'thing')
    const { unary, server } = await client({
      unary() {
        throw failure
      },
      async *server() {
        yield { value: 'first' }
        throw failure
      },
    })
    await expect(unary({})).rejects.toMatchObject({ code: Code.NotFound, rawMessage: 'thing: not found' })
    const answers = server({})[Symbol.asyncIterator]()
    expect((await answers.next()).value).toMatchObject({ value: 'first' })
    await expect(answers.next()).rejects.toMatchObject({ code: Code.NotFound })
  })

  it('is unimplemented where the method is left out', async () => {
    const { unary, server } = await client({})
    expect(await code(unary({}))).toBe('Unimplemented')
    expect(await code(all(server({})))).toBe('Unimplemented')
  })

  it('carries metadata', async () => {
    const { unary } = await client({
      unary: (_, { requestHeader }) => ({ value: requestHeader.get('containerd-namespace-ttrpc') ?? '' }),
    })
    const headers = { 'containerd-namespace-ttrpc': 'moby' }
    expect((await unary({}, { headers })).value).toBe('moby')
  })

  it('has a deadline on both sides', async () => {
    let reason: unknown
    const { unary } = await client({
      async unary(_, { signal, timeoutMs }) {
        reason = timeoutMs()
        await aborted(signal)
        reason = signal.reason
        throw signal.reason
      },
    })
    expect(await code(unary({}, { timeoutMs: 50 }))).toBe('DeadlineExceeded')
    await expect.poll(() => reason).toMatchObject({ code: Code.DeadlineExceeded })
  })

  it('is given up by its signal, and the connection goes on', async () => {
    const calls = await client({
      async unary({ value }, { signal }) {
        if (value === 'hang') await aborted(signal)
        return { value }
      },
      async *server(_, { signal }) {
        yield { value: 'one' }
        await aborted(signal)
      },
    })
    const stop = new AbortController()
    const hanging = calls.unary({ value: 'hang' }, { signal: stop.signal })
    const answers = calls.server({}, { signal: stop.signal })[Symbol.asyncIterator]()
    await answers.next()
    const next = answers.next()
    stop.abort()
    expect([await code(hanging), await code(next)]).toEqual(['Canceled', 'Canceled'])
    expect((await calls.unary({ value: 'on' })).value).toBe('on')
  })

  it('fails as unavailable when the server goes, and so do all after it', async () => {
    const { unary } = await client({
      async unary(_, { signal }) {
        await aborted(signal)
        throw signal.reason
      },
    })
    const hanging = code(unary({}))
    await echo?.stop()
    expect(await hanging).toBe('Unavailable')
    await echo?.connection.closed
    expect(await code(unary({}))).toBe('Unavailable')
    await expect(connectTtrpc(echo!.path)).rejects.toMatchObject({ code: 'not_found' })
  })

  it('is aborted in the server when its client goes', async () => {
    let gone = false
    const calls = await client({
      async *both(messages, { signal }) {
        signal.addEventListener('abort', () => (gone = true))
        yield* messages
      },
    })
    async function* one() {
      yield { value: 'x' }
      await new Promise(() => {})
    }
    const answers = calls.both(one())[Symbol.asyncIterator]()
    await answers.next()
    echo?.connection[Symbol.dispose]()
    await expect(answers.next()).rejects.toMatchObject({ code: Code.Unavailable })
    await expect.poll(() => gone).toBe(true)
  })

  it('of more than a frame can hold is refused on both sides, and harms no other', async () => {
    const { unary, server } = await client({
      unary: ({ value }) => ({ value: value.length === 1 ? 'x'.repeat(maxFrameBytes) : value }),
      async *server() {
        yield { value: 'x'.repeat(maxFrameBytes) }
      },
    })
    expect(await code(unary({ value: 'x'.repeat(maxFrameBytes) }))).toBe('ResourceExhausted')
    expect(await code(unary({ value: '1' }))).toBe('ResourceExhausted')
    expect(await code(all(server({})))).toBe('ResourceExhausted')
    const most = 'x'.repeat(maxFrameBytes - 200)
    expect((await unary({ value: most })).value).toBe(most)
  })

  it('ends the caller’s messages when it has failed', async () => {
    const { both } = await client({
      // biome-ignore lint/correctness/useYield: it fails before
      async *both() {
        throw new NsboxError('aborted', 'enough')
      },
    })
    let ended = false
    async function* endless() {
      try {
        for (;;) {
          yield { value: 'x' }
          await new Promise((resolve) => setImmediate(resolve))
        }
      } finally {
        ended = true
      }
    }
    expect(await code(all(both(endless())))).toBe('Aborted')
    await expect.poll(() => ended).toBe(true)
  })
})
