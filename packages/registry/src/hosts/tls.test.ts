import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type ServerOptions } from 'node:https'
import { join } from 'node:path'
import { buffer as collect } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { digestOf } from '@nsbox/oci'
import { needs, runOrThrow, startFaultServer, startProcess, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createRegistry, type RegistryOptions } from '../registry.ts'
import { listening, serve as serveHttp, serveRaw } from '../testing/odd-server.ts'
import { Hosts } from './hosts.ts'
import { loopbackScheme } from './loopback-scheme.ts'

const content = 'abc'
const blob = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digestOf(content), size: 3 }
const limits = { retryDelay: 1, attempts: 2 }

const missing = needs({ programs: ['docker-registry', 'openssl'] })

describe.skipIf(missing)(`TLS${missing ? ` (${missing})` : ''}`, () => {
  const resources = new AsyncDisposableStack()
  let directory: string
  const file = (name: string) => join(directory, name)
  const pem = (name: string) => readFile(file(name), 'utf8')

  beforeAll(async () => {
    directory = resources.use(await tempDir('nsbox-tls')).path
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    const request = (name: string, args: string[]) =>
      runOrThrow('openssl', [
        'req',
        '-x509',
        ...key,
        '-subj',
        `/CN=${name}`,
        '-keyout',
        file(`${name}.key`),
        '-out',
        file(`${name}.crt`),
        ...args,
      ])
    await request('authority', [])
    const by = ['-CA', file('authority.crt'), '-CAkey', file('authority.key')]
    await request('server', [
      ...by,
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:localhost',
      '-addext',
      'basicConstraints=critical,CA:FALSE',
    ])
    await request('client', [...by, '-addext', 'basicConstraints=critical,CA:FALSE'])
  })

  afterAll(() => resources.disposeAsync())

  async function serve(options: ServerOptions = {}) {
    const certificates: (string | undefined)[] = []
    const server = createServer(
      { key: await pem('server.key'), cert: await pem('server.crt'), ...options },
      (request, response) => {
        certificates.push((request.socket as TLSSocket).getPeerCertificate().subject?.CN?.toString())
        if (request.url === '/down') response.writeHead(200).end(content)
        else if (redirect) response.writeHead(307, { location: redirect }).end()
        else response.end(content)
      },
    )
    let redirect: string | undefined
    return {
      ...(await listening(server)),
      certificates,
      redirectTo(location: string) {
        redirect = location
      },
    }
  }

  async function hostsDir(host: string, text: string): Promise<string> {
    const path = file(`hosts-${Math.random()}`)
    await mkdir(join(path, host), { recursive: true })
    await writeFile(join(path, host, 'hosts.toml'), text)
    return path
  }

  async function fetched(host: string, options: RegistryOptions): Promise<string> {
    await using registry = createRegistry({ limits, ...options })
    return (await collect(registry.remote(`${host}/app:1`).fetch(blob))).toString()
  }

  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => 'success',
      (error) => error.code,
    )

  it('trusts an authority that hosts.toml names, relative to itself, and no other server', async () => {
    await using server = await serve()
    const path = await hostsDir(server.host, 'ca = "../../authority.crt"')
    expect(await fetched(server.host, { hostsDir: path })).toBe(content)
    const other = await hostsDir(server.host, `ca = "${file('client.crt')}"`)
    expect(await code(fetched(server.host, { hostsDir: other }))).toBe('failed_precondition')
    const scheme = await hostsDir(server.host, `server = "https://${server.host}"`)
    expect(await code(fetched(server.host, { hostsDir: scheme }))).toBe('failed_precondition')
  })

  it('trusts what the system trusts, and says of a variable that it names nothing', async () => {
    await using server = await serve()
    const scheme = { hostsDir: await hostsDir(server.host, `server = "https://${server.host}"`) }
    try {
      for (const [variable, value] of [
        ['SSL_CERT_FILE', file('authority.crt')],
        ['SSL_CERT_DIR', `/etc/ssl:${directory}`],
        ['NODE_EXTRA_CA_CERTS', file('authority.crt')],
      ] as const) {
        vi.stubEnv(variable, value)
        expect({ variable, text: await fetched(server.host, scheme) }).toEqual({ variable, text: content })
        vi.unstubAllEnvs()
      }
      vi.stubEnv('SSL_CERT_FILE', file('nowhere'))
      expect(await code(fetched(server.host, scheme))).toBe('not_found')
      expect(await fetched(server.host, {})).toBe(content)
    } finally {
      vi.unstubAllEnvs()
    }
  })

  it('takes any certificate where hosts.toml says so', async () => {
    await using server = await serve()
    const text = `server = "https://${server.host}"\nskip_verify = true`
    expect(await fetched(server.host, { hostsDir: await hostsDir(server.host, text) })).toBe(content)
  })

  it('shows a client certificate that hosts.toml names to servers that ask', async () => {
    const ca = await pem('authority.crt')
    await using server = await serve({ requestCert: true, rejectUnauthorized: true, ca })
    const trust = `ca = "${file('authority.crt')}"`
    const without = await hostsDir(server.host, trust)
    expect(await code(fetched(server.host, { hostsDir: without }))).not.toBe('success')
    const pair = `client = [["${file('client.crt')}", "${file('client.key')}"]]`
    const withIt = await hostsDir(server.host, `${trust}\n${pair}`)
    expect(await fetched(server.host, { hostsDir: withIt })).toBe(content)
    expect(server.certificates).toEqual(['client'])
  })

  it('B08 does not show a client certificate to where a redirect leads', async () => {
    const ca = await pem('authority.crt')
    await using server = await serve({ requestCert: true, rejectUnauthorized: false, ca })
    await using storage = await serve({ requestCert: true, rejectUnauthorized: false, ca })
    server.redirectTo(`https://${storage.host}/down`)
    const text = `ca = "${file('authority.crt')}"\nclient = [["${file('client.crt')}", "${file('client.key')}"]]`
    expect(await fetched(server.host, { hostsDir: await hostsDir(server.host, text) })).toBe(content)
    expect([server.certificates, storage.certificates]).toEqual([['client'], [undefined]])
  })

  it('C01 does not follow a redirect to plain http', async () => {
    await using server = await serve()
    await using plain = await startFaultServer()
    server.redirectTo(`http://${plain.host}/down`)
    expect(await code(fetched(server.host, {}))).toBe('failed_precondition')
    expect(plain.requests).toEqual([])
  })

  it('uses certificates that lie in a registry’s directory without a hosts.toml', async () => {
    const ca = await pem('authority.crt')
    await using server = await serve({ requestCert: true, rejectUnauthorized: true, ca })
    const path = file('certificates')
    await mkdir(join(path, server.host), { recursive: true })
    const put = async (name: string, from: string) =>
      writeFile(join(path, server.host, name), await pem(from))
    await put('any.crt', 'authority.crt')
    await put('me.cert', 'client.crt')
    expect(await code(fetched(server.host, { hostsDir: path }))).toBe('failed_precondition')
    await put('me.key', 'client.key')
    expect(await fetched(server.host, { hostsDir: path })).toBe(content)
    expect(server.certificates).toEqual(['client'])
  })

  it('takes what is to be trusted and shown as options', async () => {
    const ca = await pem('authority.crt')
    await using server = await serve({ requestCert: true, rejectUnauthorized: true, ca })
    const tls = { ca, cert: await pem('client.crt'), key: await pem('client.key') }
    expect(await fetched(server.host, { tls })).toBe(content)
    const wrong = { ...tls, ca: await pem('client.crt') }
    expect(await code(fetched(server.host, { tls: wrong }))).toBe('failed_precondition')
    expect(await fetched(server.host, { tls: { ...wrong, rejectUnauthorized: false } })).toBe(content)
    expect(await code(fetched(server.host, { tls: { ...tls, ca: 'no certificate' } }))).toBe(
      'failed_precondition',
    )
  })

  it('C07 is not given up for plain http on this machine once something is said about trust', async () => {
    await using plain = await startFaultServer()
    plain.on('GET', `/v2/app/blobs/${blob.digest}`, { body: content })
    const tls = { ca: await pem('authority.crt') }
    expect(await code(fetched(plain.host, { tls }))).toBe('failed_precondition')
    const path = await hostsDir(plain.host, `ca = "${file('authority.crt')}"`)
    expect(await code(fetched(plain.host, { hostsDir: path }))).toBe('failed_precondition')
    expect(await code(fetched(plain.host, { defaultScheme: 'https' }))).toBe('failed_precondition')
    expect(plain.requests).toEqual([])
  })

  it('C07 is not given up for plain http elsewhere, whatever goes wrong', async () => {
    const [host] = await new Hosts({}).of('registry.test:5000')
    expect(host!.origin).toBe('https://registry.test:5000')
    expect(host!.tls.skipVerify).toBe(false)
    const [hub] = await new Hosts({}).of('docker.io')
    expect(hub).toMatchObject({ origin: 'https://registry-1.docker.io', credentialHost: 'docker.io' })
    expect(hub!.proxyOf).toBeUndefined()
    const [asked] = await new Hosts({ defaultScheme: 'http' }).of('registry.test:5000')
    expect(asked!.origin).toBe('http://registry.test:5000')
  })

  it('is found out on this machine, where any certificate will do', async () => {
    await using server = await serve()
    expect(await fetched(server.host, {})).toBe(content)
    await using plain = await startFaultServer()
    plain.on('GET', `/v2/app/blobs/${blob.digest}`, { body: content })
    expect(await fetched(plain.host, {})).toBe(content)
  })

  it('is found out with servers that say nothing, hang up, or are not there', async () => {
    const scheme = async (host: string) => loopbackScheme('127.0.0.1', Number(host.split(':')[1]))
    await using server = await serve()
    expect(await scheme(server.host)).toBe('https')
    for (const open of [() => serveRaw((socket) => socket.destroy()), () => serveHttp(() => {})]) {
      const other = await open()
      expect(await scheme(other.host)).toBe('http')
      await other[Symbol.asyncDispose]()
      expect(await scheme(other.host)).toBeUndefined()
    }
  })

  it('is spoken with a real registry', async () => {
    const config = {
      version: '0.1',
      storage: { filesystem: { rootdirectory: file('storage') } },
      http: { addr: '127.0.0.1:0', tls: { certificate: file('server.crt'), key: file('server.key') } },
    }
    await writeFile(file('config.yml'), JSON.stringify(config))
    const ready = /listening on (127\.0\.0\.1:\d+)/
    await using process = await startProcess('docker-registry', ['serve', file('config.yml')], { ready })
    const host = ready.exec(process.output)![1]!
    async function* read() {
      yield Buffer.from(content)
    }
    await using registry = createRegistry({
      hostsDir: await hostsDir(host, `ca = "${file('authority.crt')}"`),
    })
    const remote = registry.remote(`${host}/app:1`)
    expect(await remote.push(blob, read)).toBe('pushed')
    expect((await collect(remote.fetch(blob))).toString()).toBe(content)
  })
})
