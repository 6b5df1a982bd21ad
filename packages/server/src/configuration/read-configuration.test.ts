import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { defaultPlatform } from '@nsbox/oci'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseConfiguration } from './configuration-file.ts'
import { defaultDirectories } from './default-directories.ts'
import { readConfiguration } from './read-configuration.ts'

let directory: string
let file: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsbox-configuration-'))
  file = join(directory, 'config.toml')
})
afterEach(() => rm(directory, { recursive: true }))

test('flags win over the environment, that over the file, that over defaults', async () => {
  await writeFile(
    file,
    `root = "/file"
     state = "/file-state"
     durability = "relaxed"
     hosts_dir = "/hosts"
     [web]
     address = "127.0.0.1:0"
     write = false
     [content]
     sharing_policy = "isolated"
     [plugins."io.containerd.internal.v1.restart"]
     interval = "1m30s"
     [cgroup]
     path = "/file"
     [log]
     level = "debug"`,
  )
  const configuration = await readConfiguration({
    file,
    env: {
      NSBOX_STATE: '/env-state',
      NSBOX_ROOT: '/env',
      NSBOX_LOG_FORMAT: 'text',
      NSBOX_WEB_WRITE: 'false',
    },
    flags: { root: '/flag', webWrite: true },
  })
  expect(configuration).toEqual({
    root: '/flag',
    state: '/env-state',
    address: '/env-state/nsbox.sock',
    durability: 'relaxed',
    hostsDir: '/hosts',
    webAddress: '127.0.0.1:0',
    webWrite: true,
    runtimeShortcuts: 'on',
    restartInterval: 90_000,
    cgroupPath: '/file',
    sharingPolicy: 'isolated',
    proxyPlugins: [],
    logLevel: 'debug',
    logFormat: 'text',
  })
})

test('relative paths become absolute and an empty variable counts as absent', async () => {
  await writeFile(file, '')
  const configuration = await readConfiguration({ file, env: { NSBOX_ROOT: '' }, flags: { state: 'here' } })
  expect(configuration.state).toBe(join(process.cwd(), 'here'))
  expect(configuration.root).toBe(defaultDirectories({ env: {} }).root)
})

test('NSBOX_CONFIG names the file', async () => {
  await writeFile(file, 'root = "/from-variable"')
  expect((await readConfiguration({ env: { NSBOX_CONFIG: file } })).root).toBe('/from-variable')
})

test('a file that was asked for must exist', async () => {
  const failure = await readConfiguration({ file: join(directory, 'missing.toml') }).catch((error) => error)
  expect(errorCode(failure)).toBe('not_found')
})

test.each([
  ['unknown', 'rooot = "/x"', '"rooot"'],
  ['unknown in a table', '[content]\npolicy = "shared"', '"content.policy"'],
  ['unknown in a plugin', '[plugins."io.containerd.internal.v1.restart"]\nx = "1s"', '"plugins.'],
  ['an unknown plugin', '[plugins."io.containerd.grpc.v1.cri"]\nx = 1', 'cri'],
  ['an unknown table', '[grpc]\naddress = "/x"', '"grpc"'],
  ['a setting of the wrong type', 'root = 1', '"root"'],
  ['a table where a value belongs', '[root]\nx = 1', '"root"'],
  ['a switch that is neither on nor off', '[web]\nwrite = 1', '"web.write"'],
  ['a value that is not allowed', '[log]\nlevel = "loud"', '"log.level"'],
])('refuses a key that is %s, naming it', (_, text, name) => {
  const failure = thrown(() => parseConfiguration(text, '/etc/x.toml'))
  expect(errorCode(failure)).toBe('invalid_argument')
  expect(String(failure)).toContain(name)
})

test('proxy plugins are read as containerd has them', async () => {
  await writeFile(
    file,
    `[proxy_plugins.lazy]
     type = "snapshot"
     address = "/run/lazy.sock"
     [proxy_plugins.other]
     type = "io.containerd.snapshotter.v1"
     address = "unix:///run/other.sock"
     platform = "linux/arm64"
     capabilities = ["rebase"]
     [proxy_plugins.other.exports]
     root = "/var/lib/other"`,
  )
  const { proxyPlugins } = await readConfiguration({ file, env: {} })
  expect(proxyPlugins).toEqual([
    {
      ...{ name: 'lazy', type: 'snapshot', address: '/run/lazy.sock', platform: defaultPlatform() },
      ...{ exports: {}, capabilities: [] },
    },
    {
      ...{ name: 'other', type: 'snapshot', address: '/run/other.sock', capabilities: ['rebase'] },
      platform: { os: 'linux', architecture: 'arm64' },
      exports: { root: '/var/lib/other' },
    },
  ])
})

test.each([
  ['another type', 'x.type = "odd"\nx.address = "/s"', 'proxy_plugins.x: type "odd"'],
  ['no type', 'x.address = "/s"', 'proxy_plugins.x.type'],
  ['no address', 'x.type = "snapshot"', 'proxy_plugins.x.address'],
  ['a relative address', 'x.type = "snapshot"\nx.address = "s"', '"s" is no absolute path'],
  ['an address elsewhere', 'x.type = "snapshot"\nx.address = "tcp://h:1"', '"tcp://h:1"'],
  ['too long an address', `x.type = "snapshot"\nx.address = "/${'s'.repeat(107)}"`, '108 bytes'],
  ['an unknown key', 'x.type = "snapshot"\nx.address = "/s"\nx.tls = "y"', 'unknown key "tls"'],
  ['a bad platform', 'x.type = "snapshot"\nx.address = "/s"\nx.platform = "/"', 'proxy_plugins.x.platform'],
  ['a bad name', '"a b".type = "snapshot"', 'proxy_plugins.a b'],
  ['no table', 'x = 1', 'proxy_plugins.x: must be a table'],
  ['exports of another type', 'x.type = "diff"\nx.address = "/s"\nx.exports = ["a"]', 'x.exports'],
])('a proxy plugin with %s is refused by its name', (_, text, name) => {
  const failure = thrown(() => parseConfiguration(`[proxy_plugins]\n${text}`, '/etc/x.toml'))
  expect(errorCode(failure)).toBe('invalid_argument')
  expect(String(failure)).toContain(name)
})

test('D18 refuses a file that is no TOML, nested without end, or too large', async () => {
  expect(errorCode(thrown(() => parseConfiguration('root = ', '/x')))).toBe('invalid_argument')
  const nested = `root = ${'['.repeat(100_000)}`
  expect(errorCode(thrown(() => parseConfiguration(nested, '/x')))).toBe('invalid_argument')
  await writeFile(file, `# ${'x'.repeat(1 << 20)}`)
  const failure = await readConfiguration({ file }).catch((error) => error)
  expect(errorCode(failure)).toBe('invalid_argument')
})

test('a wrong variable or flag is refused by its name', async () => {
  await writeFile(file, '')
  const variable = await readConfiguration({ file, env: { NSBOX_DURABILITY: 'none' } }).catch(String)
  expect(variable).toContain('NSBOX_DURABILITY')
  const flag = await readConfiguration({ file, env: {}, flags: { logLevel: 'loud' } }).catch(String)
  expect(flag).toContain('--log-level')
  for (const restartInterval of ['soon', '10', '1s2', '-1s', '10ms', '25h']) {
    const interval = await readConfiguration({ file, env: {}, flags: { restartInterval } }).catch(errorCode)
    expect(interval).toBe('invalid_argument')
  }
})

test('directories are the user’s own unless the user is root', () => {
  expect(defaultDirectories({ uid: 0 })).toEqual({
    root: '/var/lib/nsbox',
    state: '/run/nsbox',
    configuration: '/etc/nsbox/config.toml',
  })
  expect(defaultDirectories({ uid: 7, env: { XDG_DATA_HOME: '/d', XDG_RUNTIME_DIR: '/r' } })).toEqual({
    root: '/d/nsbox',
    state: '/r/nsbox',
    configuration: expect.stringMatching(/\/\.config\/nsbox\/config\.toml$/),
  })
  expect(defaultDirectories({ uid: 7, env: { HOME: '/home/u' } })).toEqual({
    root: '/home/u/.local/share/nsbox',
    state: '/run/user/7/nsbox',
    configuration: '/home/u/.config/nsbox/config.toml',
  })
})

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
