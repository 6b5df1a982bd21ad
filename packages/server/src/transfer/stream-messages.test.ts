import type { create } from '@bufbuild/protobuf'
import { packAny, unpackAny } from '@nsbox/api'
import { ProgressSchema } from '@nsbox/api/gen/types/transfer/progress_pb'
import { AuthRequestSchema, AuthResponseSchema, AuthType } from '@nsbox/api/gen/types/transfer/registry_pb'
import { DataSchema, WindowUpdateSchema } from '@nsbox/api/gen/types/transfer/streaming_pb'
import { errorCode } from '@nsbox/errors'
import { afterEach, expect, test, vi } from 'vitest'
import { MessageStream, type PackedMessage } from '../streaming/message-stream.ts'
import { streamCredentials } from './stream-credentials.ts'
import { streamLog } from './stream-log.ts'
import { streamProgress } from './stream-progress.ts'

afterEach(() => void vi.useRealTimers())

/** A client with given answers to questions. */
function answering(...answers: (Parameters<typeof create<typeof AuthResponseSchema>>[1] & object)[]) {
  const stream = new MessageStream(
    (async function* () {
      for (const answer of answers) yield packAny(AuthResponseSchema, answer)
    })(),
  )
  const asked = async () => {
    stream.close()
    const questions: string[] = []
    for await (const message of stream.outgoing) questions.push(unpackAny(AuthRequestSchema, message).host)
    return questions
  }
  return { credentials: streamCredentials(stream), asked }
}

const question = (host: string) => ({ host, reference: 'r', challenges: ['Basic realm="x"'] })

test('each kind of answer becomes credentials, and an empty one none', async () => {
  const { credentials, asked } = answering(
    { authType: AuthType.CREDENTIALS, username: 'u', secret: 's' },
    { authType: AuthType.REFRESH, secret: 't' },
    { authType: AuthType.HEADER, secret: 'Bearer x' },
    { authType: AuthType.REFRESH },
    { authType: AuthType.NONE },
  )
  const answers = await Promise.all(['1', '2', '3', '4', '5'].map((host) => credentials(question(host))))
  expect(answers).toEqual([
    { kind: 'basic', username: 'u', password: 's' },
    { kind: 'refresh', token: 't' },
    { kind: 'header', authorization: 'Bearer x' },
    undefined,
    undefined,
  ])
  expect(await asked()).toEqual(['1', '2', '3', '4', '5'])
})

test('a client that answers no more is unavailable, and later questions fare as well', async () => {
  const { credentials } = answering()
  for (const host of ['1', '2']) {
    expect(errorCode(await credentials(question(host)).catch((error) => error))).toBe('unavailable')
  }
})

const step = (event: string, progress: number) => ({ event, name: 'l', parents: ['m'], progress, total: 9 })

async function taken(stream: MessageStream): Promise<PackedMessage[]> {
  stream.close()
  const messages: PackedMessage[] = []
  for await (const message of stream.outgoing) messages.push(message)
  return messages
}

test('progress becomes messages that clients know', async () => {
  const stream = new MessageStream({ next: () => new Promise(() => {}) })
  {
    using progress = streamProgress(stream)
    progress(step('downloading', 3))
  }
  const [message] = await taken(stream)
  expect(message?.typeUrl).toBe('containerd.types.transfer.Progress')
  expect(message && unpackAny(ProgressSchema, message)).toMatchObject({
    event: 'downloading',
    name: 'l',
    parents: ['m'],
    progress: 3n,
    total: 9n,
  })
})

test('a client gets the newest of what an object passes through, and every state that it came to', async () => {
  const stream = new MessageStream({ next: () => new Promise(() => {}) })
  {
    using progress = streamProgress(stream)
    progress(step('waiting', 0))
    for (let i = 0; i < 5; i++) progress(step('downloading', i))
    await vi.waitFor(() => expect(stream.pending).toBe(1))
    progress(step('downloading', 6))
    progress(step('complete', 9))
    progress(step('extracting', 9))
    progress(step('extracted', 9))
  }
  const messages = (await taken(stream)).map((message) => unpackAny(ProgressSchema, message))
  expect(messages.map(({ event, progress }) => [event, progress])).toEqual([
    ['downloading', 4n],
    ['complete', 9n],
    ['extracted', 9n],
  ])
})

test('D16 a client that is slow gets every state but not every count of bytes', async () => {
  vi.useFakeTimers()
  const stream = new MessageStream({ next: () => new Promise(() => {}) })
  {
    using progress = streamProgress(stream)
    for (let i = 0; i < 10_000; i++) {
      progress(step('downloading', i))
      vi.advanceTimersByTime(100)
    }
    progress(step('complete', 9))
  }
  const messages = (await taken(stream)).map((message) => unpackAny(ProgressSchema, message))
  expect(messages.length).toBeLessThan(100)
  expect(messages.at(-1)?.event).toBe('complete')
})

test('D16 a client that takes nothing loses the stream, and the transfer goes on', async () => {
  const stream = new MessageStream({ next: () => new Promise(() => {}) })
  using progress = streamProgress(stream)
  for (let i = 0; i < 5000; i++) progress(step(`state ${i}`, 0))
  progress[Symbol.dispose]()
  expect(stream.closed.aborted).toBe(true)
  const failure = await taken(stream).catch((error) => error)
  expect(errorCode(failure)).toBe('resource_exhausted')
})

/** A client that takes so many bytes, and what it has got. */
function reading(bytes: number) {
  const stream = new MessageStream(
    (async function* () {
      yield packAny(WindowUpdateSchema, { update: bytes })
      await new Promise(() => undefined)
    })(),
  )
  const got = async () => {
    let text = ''
    for await (const message of stream.outgoing) text += Buffer.from(unpackAny(DataSchema, message).data)
    return text
  }
  return { stream, got }
}

test('what is told of requests comes in order, the last of it at the end', async () => {
  const { stream, got } = reading(1000)
  const text = got()
  {
    await using log = streamLog(stream, {})
    for (const line of ['GET a\n', 'GET ü\n', 'GET b\n']) log(line)
  }
  stream.end()
  expect(await text).toBe('GET a\nGET ü\nGET b\n')
})

test('D16 a client that does not read of requests loses the stream, and whoever tells goes on', async () => {
  const { stream, got } = reading(1)
  const text = got()
  text.catch(() => undefined)
  {
    await using log = streamLog(stream, {})
    for (let line = 0; line < 5000; line++) log('x'.repeat(1000))
  }
  expect(errorCode(await text.catch((error) => error))).toBe('resource_exhausted')
})
