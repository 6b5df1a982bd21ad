import { digestOf, mediaTypes } from '@nsbox/oci'
import { startFaultServer } from '@nsbox/testing'
import { expect, it, vi } from 'vitest'
import { openRemote } from './open-remote.ts'

it('tells each request on standard error if that is wished, without secrets', async () => {
  await using server = await startFaultServer()
  const headers = { 'docker-content-digest': digestOf('x'), 'content-type': mediaTypes.ociManifest }
  server.on(
    'HEAD',
    '/v2/app/manifests/1',
    { status: 401, headers: { 'www-authenticate': 'Basic realm="r"' } },
    {
      headers: { ...headers, 'content-length': '1' },
    },
  )
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  try {
    const options = { plainHttp: true, user: 'me:secret', httpTrace: true }
    await using opened = await openRemote(`${server.host}/app:1`, options)
    await opened.remote.resolve()
    const lines = written.mock.calls.map(([line]) => String(line).replace(/\d+ ms/, 'N ms'))
    const request = `HEAD http://${server.host}/v2/app/manifests/1`
    expect(lines).toEqual([`${request}: 401 in N ms\n`, `${request}: 200 in N ms\n`])
  } finally {
    written.mockRestore()
  }
})
