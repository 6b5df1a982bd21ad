import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { startServer } from '@nsbox/server'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { openSession } from './session.ts'

describeWith({ programs: ['openssl'] }, 'a session with a server over TCP', () => {
  test('F05 says who one is by files', async () => {
    await using directory = await tempDir('nsbox-ctr-tcp')
    const file = (name: string) => join(directory.path, name)
    await runOrThrow(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...['-subj', '/CN=host', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'key', '-out', 'crt'],
      ],
      { cwd: directory.path },
    )
    await writeFile(file('token'), 'a-token\n', { mode: 0o600 })
    const digest = createHash('sha256').update('a-token').digest('hex')
    const peer = `[[peer]]\nname = "me"\ntoken_sha256 = "${digest}"\nnamespaces.mine = ["write"]\n`
    await writeFile(file('access.toml'), peer)
    await using server = await startServer({
      ...{ root: file('root'), state: file('state'), durability: 'relaxed' },
      ...{ accessList: file('access.toml'), tcpAddress: '127.0.0.1:0' },
      ...{ tcpCertificate: file('crt'), tcpKey: file('key') },
    })
    const address = `tcp://127.0.0.1:${server.tcpPort}`
    const options = { address, namespace: 'mine', tlsCa: file('crt') }
    await using session = await openSession({ ...options, tokenFile: file('token') }, {})
    expect((await session.client.leases.create()).id).not.toBe('')
    await using nobody = await openSession(options, {})
    expect(await nobody.client.leases.create().catch(errorCode)).toBe('unauthenticated')
    const half = openSession({ ...options, tlsCert: file('crt') }, {})
    expect(await half.catch(errorCode)).toBe('invalid_argument')
    const missing = openSession({ ...options, tokenFile: file('none') }, {})
    expect(await missing.catch(errorCode)).toBe('not_found')
  })
})
