import { readFile, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createClient } from '@connectrpc/connect'
import { Version } from '@nsbox/api/gen/services/version/v1/version_pb'
import { run, startProcess, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { settingEntries } from '../configuration/check-setting.ts'
import { parseConfiguration } from '../configuration/configuration-file.ts'
import { configurationText, defaultConfigurationText } from '../configuration/configuration-text.ts'
import { readConfiguration } from '../configuration/read-configuration.ts'
import { ServiceManager } from '../systemd/service-manager.ts'
import { socketTransport } from '../testing/grpc-call.ts'
import { useServerProgram } from '../testing/server-process.ts'

const program = useServerProgram()
let resources: AsyncDisposableStack
let directory: string
let args: string[]

beforeEach(async () => {
  resources = new AsyncDisposableStack()
  directory = resources.use(await tempDir('nsbox-service')).path
  args = ['root', 'state'].flatMap((part) => [`--${part}`, join(directory, part)])
})
afterEach(() => resources.disposeAsync())

/** Binds a socket for datagrams, and prints each as one line of JSON, with the time by the monotonic clock. */
const receiver = `
import json, socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', chr(0), 1) if sys.argv[1][0] == '@' else sys.argv[1])
print('bound', flush=True)
while True:
  text = s.recv(4096).decode()
  print(json.dumps([text, time.monotonic()]), flush=True)
`

describeWith({ linux: true, programs: ['python3'] }, 'a service manager', () => {
  async function startManager(address: string) {
    const manager = resources.use(
      await startProcess('python3', ['-c', receiver, address], { ready: /bound/ }),
    )
    const received = () =>
      manager.output
        .split('\n')
        .filter((line) => line.startsWith('['))
        .map((line) => JSON.parse(line) as [text: string, seconds: number])
    const messages = () => received().map(([text]) => text.split('\n'))
    /** When signs of life came. */
    const beats = () => received().flatMap(([text, seconds]) => (text === 'WATCHDOG=1' ? [seconds] : []))
    return { messages, beats, told: () => messages().filter(([first]) => first !== 'WATCHDOG=1') }
  }

  test('is told what the server does, and that its event loop is alive', async () => {
    const address = join(directory, 'notify.sock')
    const { messages, told } = await startManager(address)
    const file = join(directory, 'config.toml')
    await writeFile(file, '')
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '200000' }
    const server = resources.use(await program.start([...args, '--config', file], { env }))
    await expect.poll(() => messages().length - told().length, { timeout: 20_000 }).toBeGreaterThan(2)
    await writeFile(file, 'colour = "red"\n')
    server.kill('SIGHUP')
    await server.waitForOutput(/not reloaded/)
    server.kill('SIGTERM')
    expect((await server.exited).code).toBe(0)
    await expect.poll(() => told().length, { timeout: 20_000 }).toBe(4)
    const monotonic = expect.stringMatching(/^MONOTONIC_USEC=\d+$/)
    expect(told()).toEqual([
      ['READY=1', 'STATUS=Serving'],
      ['RELOADING=1', monotonic, 'STATUS=Reloading'],
      ['READY=1', 'STATUS=Serving; the configuration is wrong and was not reloaded'],
      ['STOPPING=1', 'STATUS=Stopping'],
    ])
  })

  test('hears no sign of life while the event loop stands still', async () => {
    const address = join(directory, 'notify.sock')
    const { beats } = await startManager(address)
    using manager = new ServiceManager({ NOTIFY_SOCKET: address, WATCHDOG_USEC: '200000' })
    manager.ready('Serving', { warn: () => expect.unreachable() })
    await expect.poll(() => beats().length).toBeGreaterThan(1)
    const seconds = () => Number(process.hrtime.bigint()) / 1e9
    const start = seconds()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)
    const end = seconds()
    const before = beats().length
    await expect.poll(() => beats().length).toBeGreaterThan(before + 1)
    // The last one before may be received a little later.
    expect(beats().filter((time) => time > start + 1 && time < end)).toEqual([])
    expect(beats().filter((time) => time > end)).not.toEqual([])
  })

  test('may have an abstract name, and its variables are not passed on', async () => {
    const address = `@nsbox-service-${process.pid}`
    const { messages } = await startManager(address)
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '1', WATCHDOG_PID: '1', OTHER: 'x' }
    using manager = new ServiceManager(env)
    expect(env).toEqual({ OTHER: 'x' })
    manager.ready('Serving\nREADY=0', { warn: () => expect.unreachable() })
    await expect.poll(messages, { timeout: 20_000 }).toEqual([['READY=1', 'STATUS=Serving READY=0']])
  })

  test('that has gone is logged, and keeps nothing from going on', () => {
    const warnings: unknown[] = []
    using manager = new ServiceManager({ NOTIFY_SOCKET: join(directory, 'nobody.sock') })
    manager.ready('Serving', { warn: (...told: unknown[]) => void warnings.push(told[1]) })
    expect(warnings).toEqual(['the service manager cannot be told'])
    expect(() => new ServiceManager({ NOTIFY_SOCKET: 'vsock:2:1' })).toThrow('NOTIFY_SOCKET')
  })
})

describeWith(
  { linux: true, programs: ['systemd-socket-activate'] },
  'a socket of the service manager',
  () => {
    test('is served on, and left when the server ends', async () => {
      const address = join(directory, 'given.sock')
      const by = ['systemd-socket-activate', '--listen', address]
      const server = resources.use(await program.start(args, { by, ready: /Listening on/ }))
      using client = socketTransport(address)
      expect((await createClient(Version, client.transport).version({})).version).toMatch(/^\d/)
      await server.waitForOutput(/"msg":"serving"/)
      expect(server.output).toContain(`"address":${JSON.stringify(address)}`)
      client[Symbol.dispose]()
      server.kill('SIGTERM')
      expect((await server.exited).code).toBe(0)
      expect((await stat(address)).isSocket()).toBe(true)
    })

    test('must be one', async () => {
      const paths = ['a.sock', 'b.sock'].map((name) => join(directory, name))
      const by = ['systemd-socket-activate', ...paths.flatMap((path) => ['--listen', path])]
      const server = resources.use(await program.start(args, { by, ready: /Listening on.*b\.sock/ }))
      connect(paths[0]!).on('error', () => {})
      expect((await server.exited).code).toBe(1)
      expect(server.output).toContain('2 sockets of the service manager')
    })
  },
)

describe('nsbox-server install', () => {
  const installed = (name: string) => join(directory, 'host', name)
  const unit = 'etc/systemd/system/nsbox.service'

  test('writes a unit and the default configuration, and replaces only what it is told to', async () => {
    const install = (...more: string[]) =>
      program.run(['install', '--root', join(directory, 'host'), ...more])
    const first = await install()
    expect(first.stderr).toBe('')
    expect(first.stdout).toContain(`wrote ${installed(unit)}`)
    expect(first.stdout).toContain('systemctl enable --now nsbox')
    expect(await readFile(installed(unit), 'utf8')).toMatch(
      /^ExecStart=\/.*node \/.* --config \/etc\/nsbox\/config\.toml$/m,
    )
    expect((await stat(installed(unit))).mode & 0o777).toBe(0o644)
    const configuration = installed('etc/nsbox/config.toml')
    await writeFile(configuration, 'durability = "relaxed"\n')
    const second = await install()
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('--force')])
    expect(await readFile(configuration, 'utf8')).toBe('durability = "relaxed"\n')
    const third = await install('--force')
    expect(third.stdout).toContain(`${installed(unit)} is as it should be`)
    expect(third.stdout).toContain(`replaced ${configuration}`)
    const printed = await program.run(['install', '--print'])
    expect(printed.stdout).toContain(await readFile(installed(unit), 'utf8'))
  })

  describeWith({ linux: true, programs: ['systemd-analyze'] }, 'of systemd', () => {
    test('writes a unit that systemd finds nothing wrong with', async () => {
      await program.run(['install', '--root', join(directory, 'host')])
      const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', installed(unit)])
      // What it says of other units of the host is not ours.
      const ours = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('nsbox'))
      expect({ code, ours }).toEqual({ code: 0, ours: [] })
    })
  })
})

describe('nsbox-server config', () => {
  test('shows all settings with their defaults, in a file that is one', () => {
    const text = defaultConfigurationText()
    for (const [, { description }] of settingEntries) expect(text).toContain(`# ${description}`)
    expect(parseConfiguration(text, 'x').settings).toEqual({})
    const uncommented = text.replaceAll(/^# (\S+ = )/gm, '$1')
    expect(Object.keys(parseConfiguration(uncommented, 'x').settings)).toHaveLength(settingEntries.length)
  })

  test('dumps what a server would run with, as a file that says the same', async () => {
    const file = join(directory, 'config.toml')
    await writeFile(file, '[proxy_plugins.x]\ntype = "snapshot"\naddress = "/x.sock"\n')
    const first = await readConfiguration({
      file,
      env: { NSBOX_LOG_LEVEL: 'debug' },
      flags: { restartInterval: '1m30s' },
    })
    await writeFile(file, configurationText(first))
    expect(await readConfiguration({ file, env: {} })).toEqual(first)
  })

  test('checks what settings need of each other, and names file, line and key', async () => {
    const file = join(directory, 'config.toml')
    const check = async (text: string) => {
      await writeFile(file, text)
      const { code, stdout, stderr } = await program.run(['--config', file, 'config', 'check'])
      return [code, stdout, stderr]
    }
    expect(await check('\n[log]\nlevel = "loud"\n')).toEqual([
      1,
      '',
      `nsbox-server: configuration ${file}: line 3: key "log.level" is "loud", ` +
        'must be one of trace, debug, info, warn, error, fatal: invalid argument\n',
    ])
    expect(await check('[tcp]\nkey = "/k"\n')).toEqual([1, '', expect.stringContaining('needs an address')])
    expect(await check('[metrics]\naddress = "127.0.0.1:0"\n')).toEqual([
      0,
      'the configuration is fine\n',
      '',
    ])
  })
})
