import { text as collect } from 'node:stream/consumers'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { startFaultServer } from '@nsbox/testing'
import { expect, it } from 'vitest'
import { createRegistry } from '../registry.ts'

it('E09 shows requests and answers as on the wire, without the secrets of either side', async () => {
  await using server = await startFaultServer()
  const { host } = server
  const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] })
  const digest = digestOf(index)
  const challenge = `Bearer realm="http://${host}/token?sig=s3cr3t-realm",service="s"`
  server.on(
    'HEAD',
    '/v2/app/manifests/1',
    { status: 401, headers: { 'www-authenticate': challenge, 'set-cookie': 'id=s3cr3t-cookie' } },
    {
      headers: {
        'docker-content-digest': digest,
        'content-type': mediaTypes.ociIndex,
        'content-length': String(index.length),
      },
    },
  )
  server.on('GET', '/token', {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: 's3cr3t-token', expires_in: 60 }),
  })
  server.on('GET', `/v2/app/manifests/${digest}`, {
    status: 307,
    headers: { location: `/elsewhere?sig=s3cr3t-signature` },
  })
  server.on('GET', '/elsewhere', { headers: { 'content-type': mediaTypes.ociIndex }, body: index })
  const blob = 'no document'
  server.on('GET', `/v2/app/blobs/${digestOf(blob)}`, {
    headers: { 'content-type': 'application/octet-stream' },
    body: blob,
  })

  const dumped: string[] = []
  const credentials = async () => ({ kind: 'basic', username: 'ann', password: 's3cr3t-password' }) as const
  await using registry = createRegistry({
    defaultScheme: 'http',
    credentials,
    onDump: (text) => dumped.push(text),
  })
  const remote = registry.remote(`${host}/app:1`)
  expect(await collect(remote.fetch(await remote.resolve()))).toBe(index)
  const described = { mediaType: mediaTypes.ociLayer, digest: digestOf(blob), size: blob.length }
  expect(await collect(remote.fetch(described))).toBe(blob)

  const all = dumped.join('')
  expect(all).not.toMatch(/s3cr3t|YW5u/)
  const shown = all
    .replaceAll(host, 'HOST')
    .split('\n')
    .filter((line) => /^(HEAD|GET|HTTP|authorization|www-|set-|location|accept: .*tar|[[{])/.test(line))
  expect(shown).toEqual([
    'HEAD /v2/app/manifests/1 HTTP/1.1',
    'HTTP/1.1 401 Unauthorized',
    'www-authenticate: Bearer realm="http://HOST/token?sig=***",service="s"',
    'set-cookie: ***',
    'GET /token?sig=***&service=s&scope=repository:app:pull&account=*** HTTP/1.1',
    'authorization: Basic ***',
    'HTTP/1.1 200 OK',
    '{"token":"***","expires_in":60}',
    'HEAD /v2/app/manifests/1 HTTP/1.1',
    'authorization: Bearer ***',
    'HTTP/1.1 200 OK',
    `GET /v2/app/manifests/${digest} HTTP/1.1`,
    'authorization: Bearer ***',
    'HTTP/1.1 307 Temporary Redirect',
    'location: http://HOST/elsewhere?sig=***',
    'GET /elsewhere?sig=*** HTTP/1.1',
    'authorization: Bearer ***',
    'HTTP/1.1 200 OK',
    index,
    `GET /v2/app/blobs/${digestOf(blob)} HTTP/1.1`,
    `accept: ${mediaTypes.ociLayer}, */*`,
    'authorization: Bearer ***',
    'HTTP/1.1 200 OK',
    '[11 bytes of application/octet-stream, not shown]',
  ])
})
