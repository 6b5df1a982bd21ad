import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { hasHungUp } from './poll.ts'

describeWith({ linux: true }, 'a connection', () => {
  test.each(['unix', 'tcp'])('has hung up once its %s client has gone, read or not', async (kind) => {
    await using dir = await tempDir('nsbox-poll')
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true })
    server.listen(kind === 'unix' ? { path: join(dir.path, 's') } : { port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const address = server.address()
    const client = typeof address === 'string' ? connect(address) : connect(address!.port, '127.0.0.1')
    const [socket] = await accepted
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
    client.write('something')
    expect(hasHungUp(fd)).toBe(false)
    client.destroy()
    await expect.poll(() => hasHungUp(fd)).toBe(true)
    socket.destroy()
    server.close()
  })

  test('that is none has not hung up', () => {
    expect(hasHungUp(1 << 20)).toBe(false)
  })
})
