import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { startProcess, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { PluginConnection } from './plugin-connection.ts'
import { proxiedSnapshotter } from './proxied-snapshotter.ts'

/** Listens as another user, answers as HTTP/2 does, and tells of what it is asked for. */
const listener = (address: string) => `
  import { chmodSync } from 'node:fs'
  import { createServer } from 'node:http2'
  process.umask(0)
  const server = createServer()
  server.on('session', (session) => session.on('close', () => console.log('closed')).on('error', () => {}))
  server.on('stream', () => console.log('asked'))
  process.setuid(65534)
  server.listen(${JSON.stringify(address)}, () => console.log('listening'))`

describeWith({ root: true, linux: true }, 'a plugin of another user', () => {
  test('G03 is refused before it is asked for anything', async () => {
    await using directory = await tempDir('nsbox-peer')
    await chmod(directory.path, 0o777)
    const address = join(directory.path, 'plugin.sock')
    const args = ['--input-type=module', '--eval', listener(address)]
    await using listening = await startProcess(process.execPath, args, { ready: /listening/ })
    await using connection = new PluginConnection({ name: 'other', type: 'snapshot', address })
    const snapshotter = proxiedSnapshotter(connection, { mark: 'x', namespaces: async () => [] })
    await expect(snapshotter.stat('ns/1-x/k')).rejects.toMatchObject({
      code: 'permission_denied',
      message: expect.stringMatching(/^proxy plugin other at .*: its process is user 65534's/),
    })
    await expect.poll(() => listening.output).toContain('closed')
    expect(listening.output).not.toContain('asked')
  })
})
