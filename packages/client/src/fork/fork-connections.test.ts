import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial } from 'node:net'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { openConnections, parseConnections } from './fork-connections.ts'

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const rest = '00000000:00000000 00:00000000 00000000     0        0'

test('the table of the kernel gives connections, but not what listens or is closed', () => {
  const lines = [
    head,
    `   0: 0100007F:1F90 00000000:0000 0A ${rest} 11 1 0 100 0 0 10 0`,
    `   1: 0100007F:1F90 0200000A:01BB 01 ${rest} 12 1 0 100 0 0 10 0`,
    `   2: 0100007F:1F90 0200000A:01BB 07 ${rest} 13 1 0 100 0 0 10 0`,
    `   3: 0000000000000000FFFF00000100007F:0050 B80D0120000000000000000001000000:0001 08 ${rest} 14 1 0`,
    '',
  ]
  expect(parseConnections(lines.join('\n'))).toEqual([
    { inode: '12', local: '127.0.0.1:8080', remote: '10.0.0.2:443' },
    { inode: '14', local: '[::ffff:7f00:1]:80', remote: '[2001:db8::1]:1' },
  ])
  expect(parseConnections('')).toEqual([])
})

describeWith({ linux: true }, 'the connections of a process', () => {
  test('are told by both their addresses, each once', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await openConnections([process.pid])).not.toContainEqual(expect.stringContaining(`:${port} `))
    const near = dial(port, '127.0.0.1')
    const [far] = await once(server, 'connection')
    const ours = (await openConnections([process.pid, process.pid])).filter((text) =>
      text.includes(`:${port}`),
    )
    expect(ours.sort()).toEqual(
      [
        `127.0.0.1:${port} to 127.0.0.1:${near.localPort} of process ${process.pid}`,
        `127.0.0.1:${near.localPort} to 127.0.0.1:${port} of process ${process.pid}`,
      ].sort(),
    )
    near.destroy()
    far.destroy()
    server.close()
    await once(server, 'close')
  })

  test('F03 are looked for in a bounded number of processes', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const near = dial((server.address() as AddressInfo).port, '127.0.0.1')
    const [far] = await once(server, 'connection')
    const nobody = (count: number) => Array<number>(count).fill(2 ** 22 + 1)
    expect(await openConnections([...nobody(999), process.pid])).not.toEqual([])
    expect(await openConnections([...nobody(1000), process.pid])).toEqual([])
    near.destroy()
    far.destroy()
    server.close()
    await once(server, 'close')
  })

  test('are none of a process that there is not', async () => {
    expect(await openConnections([2 ** 22 + 1])).toEqual([])
  })
})
