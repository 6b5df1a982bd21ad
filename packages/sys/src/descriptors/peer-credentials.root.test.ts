import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { peerCredentials } from './peer-credentials.ts'
import { acceptUnix, connectUnix, listenUnix } from './unix-socket.ts'

const connecting = (path: string) =>
  `require('net').connect(${JSON.stringify(path)}, () => process.setuid?.(0))
    .on('error', () => {}); setInterval(() => {}, 1000)`

describeWith({ root: true, linux: true }, 'credentials of a peer', () => {
  test('F04 are those of the process that has connected, also of another user', async () => {
    await using directory = await tempDir('nsbox-peer')
    await chmod(directory.path, 0o711)
    const path = join(directory.path, 's.sock')
    const server = createServer().listen(path)
    await once(server, 'listening')
    await chmod(path, 0o666)
    const child = spawn(process.execPath, ['-e', connecting(path)], { uid: 65_001, gid: 65_002, cwd: '/' })
    try {
      const [socket] = (await once(server, 'connection')) as [Socket]
      const { fd } = (socket as unknown as { _handle: { fd: number } })._handle
      expect(peerCredentials(fd)).toEqual({ pid: child.pid, uid: 65_001, gid: 65_002, groups: [] })
      socket.destroy()
    } finally {
      child.kill('SIGKILL')
      await once(child, 'exit')
      server.close()
    }
  })

  test('have all supplementary groups, however many', async () => {
    await using directory = await tempDir('nsbox-peer')
    const path = join(directory.path, 's.sock')
    const before = process.getgroups!()
    const many = Array.from({ length: 300 }, (_, index) => 70_000 + index)
    const listener = listenUnix(path, 'stream')
    try {
      process.setgroups!(many)
      const client = connectUnix(path, 'stream')
      process.setgroups!(before)
      const accepted = acceptUnix(listener)!
      expect(peerCredentials(accepted)).toMatchObject({ pid: process.pid, uid: 0, gid: 0, groups: many })
      closeSync(client)
      closeSync(accepted)
    } finally {
      process.setgroups!(before)
      closeSync(listener)
    }
  })

  test('are none of a descriptor that is no socket', () => {
    const file = openSync('/dev/null', 'r')
    try {
      expect(() => peerCredentials(file)).toThrow('ENOTSOCK')
    } finally {
      closeSync(file)
    }
  })
})
