import { createServer, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { buffer as collect } from 'node:stream/consumers'
import { digestOf } from '@nsbox/oci'
import { type FaultServer, startFaultServer } from '@nsbox/testing'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createRegistry } from '../registry.ts'
import { listening, type OddServer } from '../testing/odd-server.ts'

const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf('abc'), size: 3 }
let target: FaultServer
let asked: string[]
let proxy: OddServer

/** A proxy that takes every host for the one at hand. */
beforeEach(async () => {
  target = await startFaultServer()
  target.on('GET', `/v2/app/blobs/${blob.digest}`, { body: 'abc' })
  asked = []
  const [hostname, port] = target.host.split(':')
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${new URL(request.url!).host}`)
    const { pathname } = new URL(request.url!)
    const onward = httpRequest({
      hostname,
      port,
      path: pathname,
      method: request.method,
      headers: request.headers,
    })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(response)
    })
    request.pipe(onward)
  })
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`)
    if (request.url!.startsWith('refused.')) return socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const onward = connect(Number(port), hostname, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    socket.pipe(onward).pipe(socket)
    socket.on('error', () => {})
    onward.on('error', () => {})
  })
  proxy = await listening(server)
  const address = `http://${proxy.host}`
  for (const name of ['http_proxy', 'https_proxy']) vi.stubEnv(name, address)
  vi.stubEnv('no_proxy', 'direct.invalid')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await proxy[Symbol.asyncDispose]()
  await target[Symbol.asyncDispose]()
})

async function fetched(host: string, defaultScheme?: 'http'): Promise<string> {
  await using registry = createRegistry({ defaultScheme, limits: { attempts: 1 } })
  return (await collect(registry.remote(`${host}/app:1`).fetch(blob))).toString()
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'success',
    (error) => error.code,
  )

it('asks the proxy that the environment names, except for this machine and what the environment excludes', async () => {
  expect(await fetched('registry.invalid:5000', 'http')).toBe('abc')
  expect(await fetched(target.host, 'http')).toBe('abc')
  expect(await code(fetched('direct.invalid', 'http'))).toBe('unavailable')
  expect(asked).toEqual(['GET registry.invalid:5000'])
})

it('asks it for a tunnel where TLS is spoken, and says unavailable if there is none', async () => {
  expect(await code(fetched('registry.invalid'))).toBe('failed_precondition')
  expect(await code(fetched('refused.invalid'))).toBe('unavailable')
  expect(asked).toEqual(['CONNECT registry.invalid:443', 'CONNECT refused.invalid:443'])
})
