import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { chainIds, labelKeys, parseDigest } from '@nsbox/oci'
import {
  buildImage,
  busyboxLayer,
  type Containerd,
  filesLayer,
  type PushedImage,
  pushImage,
  runOrThrow,
  startContainerd,
  startRegistry,
  stockCtr,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

const needs = {
  root: true,
  linux: true,
  programs: ['containerd', 'ctr', 'docker-registry', 'mkfs.ext4', 'runc', 'skopeo'],
} as const

describeWith(needs, 'stock containerd as a proxy plugin', () => {
  const resources = new AsyncDisposableStack()
  let plugin: Containerd
  let server: TestServer
  let image: PushedImage
  let chain: string[]
  let uuid: string
  let count = 0

  beforeAll(async () => {
    const directory = resources.use(await tempDir('nsbox-proxy')).path
    const scratchFile = join(directory, 'scratch')
    await runOrThrow('truncate', ['--size=16M', scratchFile])
    await runOrThrow('mkfs.ext4', ['-q', scratchFile])
    const settings = `
      [plugins."io.containerd.snapshotter.v1.blockfile"]
      scratch_file = ${JSON.stringify(scratchFile)}
      fs_type = "ext4"`
    plugin = resources.use(await startContainerd({ settings }))
    const config = join(directory, 'config.toml')
    const file = `
      [proxy_plugins.blockfile]
      type = "snapshot"
      address = ${JSON.stringify(plugin.address)}
      [proxy_plugins.blockfile.exports]
      of = "containerd"
      [proxy_plugins.absent]
      type = "io.containerd.snapshotter.v1"
      address = ${JSON.stringify(join(directory, 'absent.sock'))}
      platform = "linux/arm64"
      capabilities = ["remote"]`
    await writeFile(config, file)
    server = resources.use(await startServer({ args: ['--config', config] }))
    uuid = (await readFile(join(server.root, 'uuid'), 'utf8')).trim()
    const layers = [await busyboxLayer(), filesLayer({ 'etc/motd': 'hello\n', 'bin/.wh.vi': '' })]
    const built = await buildImage(join(directory, 'layout'), { layers })
    chain = chainIds(built.manifests[0]!.layers.map(({ diffId }) => parseDigest(diffId)))
    image = await pushImage(built, resources.use(await startRegistry()), 'library/proxied:1')
  })
  afterAll(() => resources.disposeAsync())

  async function ctr(namespace: string, args: string[], at = server.address): Promise<string> {
    const { code, stdout, stderr } = await stockCtr(at, namespace, args)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }
  const snapshots = ['snapshots', '--snapshotter', 'blockfile']
  const names = async (namespace: string, at?: string) =>
    (await ctr(namespace, [...snapshots, 'ls'], at))
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/\s/)[0]!)
  const atPlugin = (namespace: string) => names(namespace, plugin.address)
  /** Makes snapshots that are not the server's, or that it does not know of. */
  async function prepareAtPlugin(namespace: string, keys: readonly string[]): Promise<void> {
    await using client = connect({ address: plugin.address, namespace })
    const labels = { [labelKeys.gcRoot]: 'x' }
    for (const key of keys) await client.snapshotter('blockfile').prepare(key, undefined, { labels })
  }

  it('is pulled into, run from and measured by stock ctr, and keeps what is not the server’s', async () => {
    const ns = `n${count++}`
    await prepareAtPlugin(ns, ['theirs', `${ns}/1/theirs`])
    const theirs = await atPlugin(ns)
    await ctr(ns, [
      'images',
      'pull',
      '--local',
      '--plain-http',
      '--snapshotter',
      'blockfile',
      image.reference,
    ])
    expect((await names(ns)).sort()).toEqual([...chain].sort())
    const own = (await atPlugin(ns)).filter((key) => !theirs.includes(key))
    expect(own.map((key) => key.replace(/\/\d+-/, '/'))).toEqual(
      expect.arrayContaining(chain.map((id) => `${ns}/${uuid}/${id}`)),
    )
    const run = ['run', '--rm', '--snapshotter', 'blockfile', image.reference, 'c']
    expect(await ctr(ns, [...run, 'sh', '-c', 'cat /etc/motd; ls /bin/vi; echo x >/new && cat /new'])).toBe(
      'hello\nx\n',
    )
    const usage = async (key: string, at?: string) =>
      (await ctr(ns, [...snapshots, 'usage', key], at)).trimEnd().split(/\s+/).slice(-3)
    expect(await usage(chain[1]!)).toEqual(
      await usage(own.find((key) => key.endsWith(chain[1]!))!, plugin.address),
    )
    await ctr(ns, ['images', 'rm', '--sync', image.reference])
    expect(await names(ns)).toEqual([])
    await expect.poll(() => atPlugin(ns)).toEqual(theirs)
  })

  it('is unpacked into by the server, and each namespace has its own snapshots', async () => {
    const [a, b] = [`n${count++}`, `n${count++}`]
    for (const namespace of [a, b]) {
      await using client = connect({ address: server.address, namespace })
      await client.pull(image.reference, { unpack: { snapshotter: 'blockfile' } })
      expect((await names(namespace)).sort()).toEqual([...chain].sort())
    }
    const keys = [...(await atPlugin(a)), ...(await atPlugin(b))]
    expect(keys).toHaveLength(4)
    for (const namespace of [a, b]) await ctr(namespace, ['images', 'rm', '--sync', image.reference])
    await expect.poll(() => atPlugin(b)).toEqual([])
  })

  it('is emptied of what a killed server has left, and of nothing else', async () => {
    const ns = `n${count++}`
    await ctr(ns, ['namespaces', 'create', ns])
    const left = [`${ns}/77-${uuid}/left`, `${ns}/78-${uuid}/left`]
    const others = [`${ns}/77/left`, `${ns}/77-${'0'.repeat(36)}/left`, 'left']
    await prepareAtPlugin(ns, [...left, ...others])
    await server.kill()
    await server.restart()
    await expect.poll(() => atPlugin(ns), { timeout: 20_000 }).toEqual(others.sort())
  })

  it('is listed by what its configuration says, with an error while it does not answer', async () => {
    const listed = async () =>
      Object.fromEntries(
        (await ctr('x', ['plugins', 'ls', 'type==io.containerd.snapshotter.v1']))
          .trimEnd()
          .split('\n')
          .slice(1)
          .map((line) => line.trim().split(/\s+/))
          .map(([, id, platform, status]) => [id, `${platform} ${status}`]),
      )
    const { code, stderr } = await stockCtr(server.address, 'x', [
      ...['snapshots', '--snapshotter', 'absent', 'prepare', 'k'],
    ])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^ctr: proxy plugin absent at .*absent.sock: connecting to .*: unavailable\n$/)
    expect(await listed()).toMatchObject({ absent: 'linux/arm64 error', blockfile: 'linux/amd64 ok' })
    const details = await ctr('x', ['plugins', 'ls', '-d', 'id==absent', 'id==blockfile'])
    expect(details.replaceAll(/ +/g, ' ')).toMatch(/Capabilities: remote.*Code: Unavailable/s)
    expect(details.replaceAll(/ +/g, ' ')).toContain(' of containerd\n')
  })
})
