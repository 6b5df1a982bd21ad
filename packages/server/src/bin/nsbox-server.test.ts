import { once } from 'node:events'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { Content, WriteAction } from '@nsbox/api/gen/services/content/v1/content_pb'
import { Images } from '@nsbox/api/gen/services/images/v1/images_pb'
import { Introspection } from '@nsbox/api/gen/services/introspection/v1/introspection_pb'
import { Namespaces } from '@nsbox/api/gen/services/namespaces/v1/namespace_pb'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { connect as connectClient } from '@nsbox/client'
import { errorCode } from '@nsbox/errors'
import { startFaultServer, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { socketTransport } from '../testing/grpc-call.ts'
import { useServerProgram } from '../testing/server-process.ts'

const program = useServerProgram()
let resources: AsyncDisposableStack
let directory: string
let args: string[]
let address: string

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  directory = resources.use(await tempDir('nsbox-bin')).path
  args = ['--root', join(directory, 'root'), '--state', join(directory, 'state')]
  address = join(directory, 'state', 'nsbox.sock')
})
afterEach(() => resources.disposeAsync())

const startServer = async (more: string[] = [], env = {}) =>
  resources.use(await program.start([...args, ...more], { env }))

function transport() {
  const client = socketTransport(address)
  resources.defer(() => client[Symbol.dispose]())
  return client.transport
}

describe('a server program', () => {
  test('D01 serves with directories that others cannot read and ends in an orderly way on SIGTERM', async () => {
    const server = await startServer()
    const first = JSON.parse(server.output.split('\n')[0] ?? '')
    expect(first).toMatchObject({ msg: 'serving', address, pid: server.pid })
    for (const [path, mode] of [
      ['root', 0o700],
      ['root/metadata.db', 0o600],
      ['root/content', 0o700],
      ['state', 0o711],
      ['state/nsbox.sock', 0o600],
    ] as const) {
      expect([path, (await stat(join(directory, path))).mode & 0o777]).toEqual([path, mode])
    }
    server.kill('SIGTERM')
    expect(await server.exited).toMatchObject({ code: 0, signal: null })
    await expect(stat(address)).rejects.toThrow('ENOENT')
    await expect(stat(join(directory, 'root', 'metadata.db-wal'))).rejects.toThrow('ENOENT')
  })

  test('is refused a root that another one has, by name and with exit code 1', async () => {
    const server = await startServer()
    const second = await program.run([...args, '--address', join(directory, 'other.sock')])
    expect(second.code).toBe(1)
    expect(second.stderr).toBe(
      `nsbox-server: data root ${JSON.stringify(join(directory, 'root'))} is in use by process ` +
        `${server.pid}: failed precondition\n`,
    )
    const { pid } = await createClient(Introspection, transport()).server({})
    expect(Number(pid)).toBe(server.pid)
  })

  test('is refused a socket that another one serves on', async () => {
    await startServer()
    const second = await program.run(['--root', join(directory, 'root2'), '--address', address])
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('in use by another server: failed precondition')
  })

  test('starts again after kill -9, with what it answered and what it had received', async () => {
    const server = await startServer()
    const before = transport()
    await createClient(Namespaces, before).create({ namespace: { name: 'kept' } })
    const headers = { 'containerd-namespace': 'kept' }
    const replies = createClient(Content, before)
      .write(
        (async function* () {
          yield { action: WriteAction.WRITE, ref: 'r', data: Buffer.alloc(100_000, 1) }
          await new Promise(() => {})
        })(),
        { headers },
      )
      [Symbol.asyncIterator]()
    await replies.next()
    const { uuid } = await createClient(Introspection, before).server({})
    server.kill('SIGKILL')
    await server.exited
    expect((await stat(address)).isSocket()).toBe(true)

    await startServer()
    const after = transport()
    const { namespaces } = await createClient(Namespaces, after).list({})
    expect(namespaces.map(({ name }) => name)).toEqual(['kept'])
    const { status } = await createClient(Content, after).status({ ref: 'r' }, { headers })
    expect(status?.offset).toBe(100_000n)
    expect((await createClient(Introspection, after).server({})).uuid).toBe(uuid)
  })

  test('ends at once on a second signal', async () => {
    const server = await startServer()
    const socket = connect(address)
    socket.on('error', () => {})
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
    // A connection that neither speaks nor closes, once it is there, keeps an orderly end waiting for its bound.
    await once(socket, 'data')
    server.kill('SIGINT')
    await server.waitForOutput(/stopping/)
    server.kill('SIGINT')
    expect((await server.exited).code).toBe(130)
    socket.destroy()
  })

  test('E11 takes up on SIGHUP what can change while it runs, and says what needs a restart', async () => {
    const file = join(directory, 'config.toml')
    await writeFile(file, '[log]\nlevel = "info"\n')
    const server = await startServer(['--config', file])
    await createClient(Version, transport()).version({})
    expect(server.output).not.toContain('"code":"ok"')
    await writeFile(file, 'durability = "relaxed"\n[log]\nlevel = "debug"\n')
    server.kill('SIGHUP')
    await server.waitForOutput(/"reloaded"/)
    expect(server.output).toMatch(/"settings":\["durability"\].*need a restart/)
    await createClient(Version, transport()).version({})
    await server.waitForOutput(/"code":"ok"/)
  })

  test('E11 keeps all it has on SIGHUP if the file is wrong, and says what is wrong with it', async () => {
    const file = join(directory, 'config.toml')
    await writeFile(file, '[log]\nlevel = "info"\n')
    const server = await startServer(['--config', file])
    await writeFile(file, 'colour = "red"\n[log]\nlevel = "debug"\n')
    server.kill('SIGHUP')
    await server.waitForOutput(/not reloaded/)
    expect(server.output).toContain('unknown key')
    await createClient(Version, transport()).version({})
    server.kill('SIGTERM')
    expect(await server.exited).toMatchObject({ code: 0, signal: null })
    expect(server.output).not.toContain('"code":"ok"')
  })

  test('E11 takes up on SIGHUP where settings for registries are', async () => {
    const registry = 'registry.invalid'
    const hosts = await Promise.all(
      ['before', 'after'].map(async (name) => {
        const server = resources.use(await startFaultServer())
        const path = join(directory, name)
        await mkdir(join(path, registry), { recursive: true })
        await writeFile(join(path, registry, 'hosts.toml'), `server = "http://${server.host}"\n`)
        return { path, asked: () => server.requests.length }
      }),
    )
    const [before, after] = hosts as [(typeof hosts)[0], (typeof hosts)[0]]
    const file = join(directory, 'config.toml')
    const configure = (path: string) => writeFile(file, `hosts_dir = ${JSON.stringify(path)}\n`)
    await configure(before.path)
    const server = await startServer(['--config', file])
    await using client = connectClient({ address, namespace: 'n' })
    const pull = () => client.pull(`${registry}/a:1`).catch(errorCode)
    expect(await pull()).toBe('not_found')
    const count = before.asked()
    expect([count > 0, after.asked()]).toEqual([true, 0])
    await configure(after.path)
    server.kill('SIGHUP')
    await server.waitForOutput(/"reloaded"/)
    expect(server.output).not.toContain('need a restart')
    expect(await pull()).toBe('not_found')
    expect([before.asked(), after.asked() > 0]).toEqual([count, true])
  })

  test('E11 F04 takes up the access list on SIGHUP, unless it is wrong', async () => {
    const [list, tenants] = [join(directory, 'access.toml'), join(directory, 'tenants.sock')]
    const grant = (namespace: string, right: string) =>
      writeFile(
        list,
        `[[peer]]\nname = "me"\nuid = ${process.geteuid?.()}\nnamespaces.${namespace} = ["${right}"]\n`,
      )
    await grant('mine', 'read')
    const server = await startServer(['--access-list', list, '--tenants-address', tenants])
    const client = socketTransport(tenants)
    resources.defer(() => client[Symbol.dispose]())
    const images = async (namespace: string) => {
      const headers = { 'containerd-namespace': namespace }
      return await createClient(Images, client.transport)
        .list({}, { headers })
        .then(
          () => 'ok',
          (error) => Code[ConnectError.from(error).code],
        )
    }
    expect(await images('mine')).toBe('ok')
    expect(await images('other')).toBe('PermissionDenied')
    await grant('other', 'look')
    server.kill('SIGHUP')
    await server.waitForOutput(/not reloaded/)
    expect(await images('mine')).toBe('ok')
    await grant('other', 'read')
    server.kill('SIGHUP')
    await server.waitForOutput(/"reloaded"/)
    await expect.poll(() => images('mine')).toBe('PermissionDenied')
    expect(await images('other')).toBe('ok')
    server.kill('SIGTERM')
    expect(await server.exited).toMatchObject({ code: 0 })
    await expect(stat(tenants)).rejects.toThrow('ENOENT')
  })

  test('E11 goes on whatever signal comes that does not ask for its end, and opens no port of a debugger', async () => {
    const server = await startServer()
    server.kill('SIGPIPE')
    const signals = ['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPWR'] as const
    for (const signal of [...signals, 'SIGSTKFLT', 'SIGXCPU', 'SIGXFSZ', 'SIGHUP'] as const) {
      const before = server.output.length
      server.kill(signal)
      const asked = signal === 'SIGHUP' ? /reloaded/ : new RegExp(`"signal":"(${signal}|SIGPOLL)"`)
      await expect.poll(() => server.output.slice(before)).toMatch(asked)
    }
    expect(server.output).not.toMatch(/debugger|SIGPIPE/i)
    await createClient(Version, transport()).version({})
  })

  test('E11 ends in an orderly way on SIGQUIT', async () => {
    const server = await startServer()
    server.kill('SIGQUIT')
    expect(await server.exited).toMatchObject({ code: 0, signal: null })
    await expect(stat(address)).rejects.toThrow('ENOENT')
  })

  test('is configured by a file, the environment and flags, in this order', async () => {
    const file = join(directory, 'config.toml')
    await writeFile(
      file,
      `state = "${join(directory, 'elsewhere')}"\n[log]\nlevel = "fatal"\nformat = "json"\n`,
    )
    const server = await startServer(['--config', file, '--log-level', 'info'], { NSBOX_LOG_FORMAT: 'text' })
    expect(server.output).toMatch(/^\S+Z INFO {2}serving address=/)
  })

  test.each([
    ['an unknown key', 'colour = "red"', 'unknown key "colour"'],
    ['a wrong value', 'durability = "maybe"', 'must be one of full, relaxed'],
    ['what is no TOML', '= 1', 'configuration'],
  ])('says what is wrong with %s', async (_, text, message) => {
    const file = join(directory, 'config.toml')
    await writeFile(file, text)
    const { code, stderr } = await program.run([...args, '--config', file])
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('tells its version and its flags', async () => {
    expect((await program.run(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    const help = (await program.run(['--help'])).stdout
    for (const flag of ['--root', '--state', '--address', '--config', '--durability', '--hosts-dir']) {
      expect(help).toContain(flag)
    }
  })
})
