import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, copyFile, writeFile } from 'node:fs/promises'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect'
import { createConnectTransport, createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Leases } from '@nsbox/api/gen/services/leases/v1/leases_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { type Client, type ConnectOptions, connect } from '@nsbox/client'
import { errorCode } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type Logger, pino } from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Server, ServerConfig } from '../server.ts'
import { startServer } from '../start.ts'
import { type Issued, issue, makeAuthority } from '../testing/certificates.ts'

const digestOf = (token: string) => createHash('sha256').update(token).digest('hex')
const token = 'a-secret-token'
const list = `
[[peer]]
name = "alice"
certificate = "alice.example"
namespaces.alice = ["read", "write"]
[[peer]]
name = "bob"
certificate = "spiffe://example/bob"
namespaces.bob = ["read"]
[[peer]]
name = "operator"
certificate = "operator.example"
everything = true
[[peer]]
name = "ci"
token_sha256 = "${digestOf(token)}"
namespaces.ci = ["read", "write"]
`

describeWith({ programs: ['openssl'] }, 'a server over TCP', () => {
  const shared = new AsyncDisposableStack()
  let certificates: string
  let ca: Issued
  let otherCa: Issued
  let host: Issued
  const clients: Record<string, Issued> = {}

  beforeAll(async () => {
    certificates = shared.use(await tempDir('nsbox-certificates')).path
    ca = await makeAuthority(certificates, 'ca')
    otherCa = await makeAuthority(certificates, 'other')
    host = await issue(certificates, 'ca', 'host', { name: 'host', others: 'IP:127.0.0.1' })
    clients.alice = await issue(certificates, 'ca', 'alice', { name: 'alice.example' })
    clients.bob = await issue(certificates, 'ca', 'bob', { name: 'x', others: 'URI:spiffe://example/bob' })
    clients.operator = await issue(certificates, 'ca', 'operator', { name: 'operator.example' })
    clients.nobody = await issue(certificates, 'ca', 'nobody', { name: 'nobody.example' })
    clients.expired = await issue(certificates, 'ca', 'expired', { name: 'alice.example', expired: true })
    clients.foreign = await issue(certificates, 'other', 'foreign', { name: 'operator.example' })
  }, 60_000)
  afterAll(() => shared.disposeAsync())

  let resources: AsyncDisposableStack
  let directory: string
  let accessList: string
  let lines: string[]
  let server: Server

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    directory = resources.use(await tempDir('nsbox-tcp')).path
    accessList = join(directory, 'access.toml')
    lines = []
    await writeFile(accessList, list)
  })
  afterEach(() => resources.disposeAsync())

  const config = (): ServerConfig => ({
    root: join(directory, 'root'),
    state: join(directory, 'state'),
    durability: 'relaxed',
    accessList,
    tcpAddress: '127.0.0.1:0',
    tcpCertificate: host.certificate,
    tcpKey: host.key,
    tcpClientCa: ca.certificate,
  })
  const log = (): Logger => pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const serve = async (more: Partial<ServerConfig> = {}) => {
    server = resources.use(await startServer({ ...config(), ...more }, { log: log() }))
  }
  const trust = (client?: Issued): ConnectionOptions => ({
    ca: ca.cert,
    ...(client && { cert: client.cert, key: client.privateKey }),
  })
  const transport = (client?: Issued, more: ConnectionOptions = {}): Transport => {
    const url = `https://127.0.0.1:${server.tcpPort}`
    const sessionManager = new Http2SessionManager(url, {}, { ...trust(client), ...more })
    resources.defer(() => sessionManager.abort())
    return createGrpcTransport({ baseUrl: url, sessionManager })
  }
  const leasesIn = async (through: Transport, namespace: string, headers = {}) => {
    try {
      const all = { 'containerd-namespace': namespace, ...headers }
      await createClient(Leases, through).create({}, { headers: all })
      return 'ok'
    } catch (error) {
      return Code[ConnectError.from(error).code]
    }
  }
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` })

  test('F05 lets holders of certificates do what is listed, by common name or URI', async () => {
    await serve()
    const alice = transport(clients.alice)
    expect(await leasesIn(alice, 'alice')).toBe('ok')
    expect(await leasesIn(alice, 'ci')).toBe('PermissionDenied')
    const bob = transport(clients.bob)
    expect(await leasesIn(bob, 'bob')).toBe('PermissionDenied')
    const headers = { 'containerd-namespace': 'bob' }
    expect((await createClient(Images, bob).list({}, { headers })).images).toEqual([])
    const operator = transport(clients.operator)
    expect(await leasesIn(operator, 'anything')).toBe('ok')
    expect((await createClient(Introspection, operator).server({})).uuid).not.toBe('')
  })

  test('F05 lets holders of tokens do what is listed, call by call, and never logs a token', async () => {
    await serve()
    const through = transport()
    expect(await leasesIn(through, 'ci', bearer(token))).toBe('ok')
    expect(await leasesIn(through, 'alice', bearer(token))).toBe('PermissionDenied')
    for (const wrong of [`${token}x`, token.slice(1), token.toUpperCase(), digestOf(token)])
      expect(await leasesIn(through, 'ci', bearer(wrong))).toBe('Unauthenticated')
    expect(await leasesIn(through, 'ci', { authorization: `Basic ${token}` })).toBe('Unauthenticated')
    expect(await leasesIn(through, 'ci')).toBe('Unauthenticated')
    // The token takes precedence over the certificate.
    expect(await leasesIn(transport(clients.operator), 'alice', bearer(token))).toBe('PermissionDenied')
    expect(lines.length).toBeGreaterThan(5)
    expect(lines.join('')).not.toMatch(new RegExp(`${token}|${digestOf(token)}`, 'i'))
  })

  test('F05 our client comes with a certificate or a token, and is told why it is not let in', async () => {
    await serve()
    const address = `tcp://127.0.0.1:${server.tcpPort}`
    const open = (more: ConnectOptions) => resources.use(connect({ address, ...more }))
    const { cert, privateKey: key } = clients.alice!
    await open({ namespace: 'alice', tls: { ca: ca.cert, cert, key } }).createLease()
    const ci = open({ namespace: 'ci', tls: { ca: ca.cert }, token })
    await ci.createLease()
    expect((await ci.namespaces.list()).map(({ name }) => name)).toEqual(['ci'])
    const codeOf = (client: Client) => client.version().catch(errorCode)
    expect(await codeOf(open({ tls: { ca: ca.cert } }))).toBe('unauthenticated')
    expect(await codeOf(open({ tls: { ca: ca.cert }, token: 'x' }))).toBe('unauthenticated')
    // The client sends nothing to a server without a valid certificate.
    expect(await codeOf(open({ tls: { ca: otherCa.cert }, token }))).toBe('unavailable')
    expect(await codeOf(open({ token }))).toBe('unavailable')
  })

  test('F05 also over HTTP/1.1', async () => {
    await serve()
    const json = createConnectTransport({
      baseUrl: `https://127.0.0.1:${server.tcpPort}`,
      httpVersion: '1.1',
      nodeOptions: { ...trust() },
    })
    expect(await leasesIn(json, 'ci', bearer(token))).toBe('ok')
    expect(await leasesIn(json, 'ci', bearer('x'))).toBe('Unauthenticated')
    expect(await leasesIn(json, 'ci')).toBe('Unauthenticated')
  })

  test('F05 refuses a certificate that has expired, is of another authority or that nobody lists', async () => {
    await serve()
    for (const name of ['expired', 'foreign'])
      for (const headers of [{}, bearer(token)])
        expect([name, await leasesIn(transport(clients[name]), 'ci', headers)]).toEqual([
          name,
          'Unauthenticated',
        ])
    expect(await leasesIn(transport(clients.nobody), 'alice')).toBe('PermissionDenied')
    const failure = await createClient(Version, transport(clients.expired))
      .version({})
      .catch(ConnectError.from)
    expect(String(failure)).toContain('CERT_HAS_EXPIRED')
  })

  test('F05 speaks TLS 1.3 and nothing else, and resumes no session', async () => {
    await serve()
    const port = server.tcpPort!
    const outcome = async (options: ConnectionOptions) => {
      const socket = connectTls({ host: '127.0.0.1', port, ...trust(clients.alice), ...options })
      try {
        await once(socket, 'secureConnect')
        return socket.getProtocol()
      } catch {
        return 'refused'
      } finally {
        socket.destroy()
      }
    }
    expect(await outcome({})).toBe('TLSv1.3')
    expect(await outcome({ maxVersion: 'TLSv1.2' })).toBe('refused')
    expect(await outcome({ ca: otherCa.cert })).toBe('refused')
    const alpn = async (...ALPNProtocols: string[]) => {
      const socket = connectTls({ host: '127.0.0.1', port, ...trust(clients.alice), ALPNProtocols })
      await once(socket, 'secureConnect')
      socket.destroy()
      return socket.alpnProtocol
    }
    expect(await alpn('h2', 'http/1.1')).toBe('h2')
    expect(await alpn('http/1.1')).toBe('http/1.1')

    const sessions: Buffer[] = []
    const first = connectTls({ host: '127.0.0.1', port, ...trust(clients.alice) })
    first.on('session', (session) => sessions.push(session))
    await once(first, 'secureConnect')
    first.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
    await once(first.resume(), 'close')
    for (const session of sessions) {
      const again: TLSSocket = connectTls({ host: '127.0.0.1', port, ...trust(clients.alice), session })
      await once(again, 'secureConnect')
      expect(again.isSessionReused()).toBe(false)
      again.destroy()
    }
    // A client without TLS gets no answer.
    const plain = connectTcp(port, '127.0.0.1')
    plain.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    await once(
      plain.resume().on('error', () => {}),
      'close',
    )
  })

  test('E11 F05 takes up other certificates, authorities and tokens, and ends what they do not cover', async () => {
    const files = ['host.crt', 'host.key', 'ca.crt'] as const
    for (const file of files) await copyFile(join(certificates, file), join(directory, file))
    const [tcpCertificate, tcpKey, tcpClientCa] = files.map((file) => join(directory, file))
    await serve({ tcpCertificate, tcpKey, tcpClientCa })
    const alice = transport(clients.alice)
    expect(await leasesIn(alice, 'alice')).toBe('ok')
    const ci = transport()
    expect(await leasesIn(ci, 'ci', bearer(token))).toBe('ok')

    await writeFile(accessList, list.replace(digestOf(token), digestOf('another')))
    await server.reload()
    await expect.poll(() => leasesIn(ci, 'ci', bearer(token))).toBe('Unauthenticated')
    expect(await leasesIn(ci, 'ci', bearer('another'))).toBe('ok')
    expect(await leasesIn(alice, 'alice')).toBe('ok')

    // A failed reload changes nothing: the new key does not belong to the certificate.
    await copyFile(join(certificates, 'alice.key'), join(directory, 'host.key'))
    expect(await server.reload().catch(errorCode)).toBe('invalid_argument')
    expect(await leasesIn(alice, 'alice')).toBe('ok')
    await copyFile(join(certificates, 'host.key'), join(directory, 'host.key'))

    await copyFile(join(certificates, 'other.crt'), join(directory, 'ca.crt'))
    await server.reload()
    await expect.poll(() => leasesIn(alice, 'alice')).toBe('Unauthenticated')
    expect(await leasesIn(transport(clients.foreign), 'anything')).toBe('ok')

    const renewed = await issue(certificates, 'ca', 'renewed', { name: 'renewed', others: 'IP:127.0.0.1' })
    await copyFile(renewed.certificate, join(directory, 'host.crt'))
    await copyFile(renewed.key, join(directory, 'host.key'))
    await server.reload()
    const socket = connectTls({ host: '127.0.0.1', port: server.tcpPort!, ca: ca.cert })
    await once(socket, 'secureConnect')
    expect(socket.getPeerCertificate().subject.CN).toBe('renewed')
    socket.destroy()
  })

  test.each<[string, Partial<ServerConfig>, string, string]>([
    ['an access list', { accessList: undefined }, 'invalid_argument', 'access list'],
    ['a certificate', { tcpCertificate: undefined }, 'invalid_argument', 'tcp.certificate'],
    ['a key', { tcpKey: undefined }, 'invalid_argument', 'tcp.key'],
    ['an address', { tcpAddress: undefined }, 'invalid_argument', 'tcp.address'],
    ['a port', { tcpAddress: '127.0.0.1' }, 'invalid_argument', 'host:port'],
    ['a file of its certificate', { tcpCertificate: '/nonexistent' }, 'not_found', '/nonexistent'],
  ])('F05 does not start without %s', async (_, lacking, code, text) => {
    const failure = await startServer({ ...config(), ...lacking }).catch((error) => error)
    expect([errorCode(failure), String(failure)]).toEqual([code, expect.stringContaining(text)])
  })

  test('F05 does not start without authorities of clients and tokens, or with a key that all may read', async () => {
    await writeFile(accessList, list.slice(0, list.indexOf('[[peer]]\nname = "ci"')))
    const failure = await startServer({ ...config(), tcpClientCa: undefined }).catch((error) => error)
    expect([errorCode(failure), String(failure)]).toEqual([
      'invalid_argument',
      expect.stringContaining('tcp.client_ca'),
    ])
    const tcpKey = join(directory, 'host.key')
    await copyFile(host.key, tcpKey)
    await chmod(tcpKey, 0o644)
    const readable = await startServer({ ...config(), tcpKey }).catch((error) => error)
    expect([errorCode(readable), String(readable)]).toEqual([
      'permission_denied',
      expect.stringContaining('everybody may read it'),
    ])
  })
})
