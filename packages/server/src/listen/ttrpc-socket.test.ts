import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Code, createClient } from '@connectrpc/connect'
import { packAny, toTimestamp } from '@nsbox/api'
import { TaskOOMSchema } from '@nsbox/api/gen/events/task_pb'
import { Events as GrpcEvents } from '@nsbox/api/gen/services/events/v1/events_pb'
import { Events } from '@nsbox/api/gen/services/ttrpc/events/v1/events_pb'
import { tempDir } from '@nsbox/testing'
import { Timestamp } from '@nsbox/time'
import { connectTtrpc } from '@nsbox/ttrpc'
import { expect, test } from 'vitest'
import { startServer } from '../start.ts'
import { socketTransport } from '../testing/grpc-call.ts'

test('D01 events come by a socket of mode 0600, and are published in the namespace that they name', async () => {
  await using directory = await tempDir('nsbox-ttrpc-socket')
  const address = join(directory.path, 'sock')
  await using server = await startServer({
    root: join(directory.path, 'root'),
    address,
    durability: 'relaxed',
  })
  expect((await stat(`${server.address}.ttrpc`)).mode & 0o777).toBe(0o600)
  using grpc = socketTransport(server.address)
  const stop = new AbortController()
  const events = createClient(GrpcEvents, grpc.transport).subscribe({}, { signal: stop.signal })
  const next = events[Symbol.asyncIterator]().next()

  using connection = await connectTtrpc(`${address}.ttrpc`)
  const { forward } = createClient(Events, connection.transport)
  const timestamp = toTimestamp(Timestamp.fromDate(new Date('2026-01-02T03:04:05Z')))
  const event = packAny(TaskOOMSchema, { containerId: 'x' })
  const envelope = { timestamp, namespace: 'moby', topic: '/tasks/oom', event }
  // There is no other sign of the subscription.
  const told = { is: false }
  void next.then(() => (told.is = true))
  await expect
    .poll(async () => {
      await forward({ envelope })
      return told.is
    })
    .toBe(true)
  expect((await next).value).toMatchObject(envelope)
  stop.abort()

  for (const bad of [
    undefined,
    { ...envelope, namespace: '' },
    { ...envelope, namespace: '../x' },
    { ...envelope, topic: 'oom' },
    { ...envelope, timestamp: undefined },
    { ...envelope, event: undefined },
  ])
    await expect(forward({ envelope: bad })).rejects.toMatchObject({
      code: bad?.namespace === '' ? Code.FailedPrecondition : Code.InvalidArgument,
    })
})
