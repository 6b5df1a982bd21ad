import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { chainIds, parseDigest } from '@nsbox/oci'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  type ImageLayer,
  type PushedImage,
  pushImage,
  type Registry,
  type RunOptions,
  runOrThrow,
  scratchMount,
  startProcess,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

const wanted = { root: true, linux: true, programs: ['ctr', 'docker-registry', 'skopeo'] } as const

/** The columns of a table. */
const rows = (table: string) =>
  table
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))

describeWith(wanted, 'stock ctr 1.7 with snapshots', () => {
  const resources = new AsyncDisposableStack()
  let registry: Registry
  let image: PushedImage
  let chain: string[]
  let scratch: string
  let server: TestServer
  let count = 0
  let namespace: string

  beforeAll(async () => {
    registry = resources.use(await startRegistry())
    const layers: ImageLayer[] = [
      await busyboxLayer(),
      filesLayer({ 'etc/motd': 'hello\n', 'srv/kept': 'kept', 'srv/gone': 'gone' }),
      filesLayer({ 'srv/.wh.gone': '', 'etc/motd': 'changed\n' }),
    ]
    const built = await buildImage(resources.use(await tempDir('nsbox-layout')).path, { layers })
    chain = chainIds(built.manifests[0]!.layers.map(({ diffId }) => parseDigest(diffId)))
    image = await pushImage(built, registry, 'library/snapshots:1')
    scratch = resources.use(await scratchMount()).path
    server = await serve([])
  })
  afterAll(() => resources.disposeAsync())
  beforeEach(() => {
    namespace = `n${count++}`
  })

  /** A server whose directories are on a file system in memory. */
  async function serve(args: string[]): Promise<TestServer> {
    const root = join(scratch, `root-${count++}`)
    return resources.use(await startServer({ root, args: ['--log-level', 'debug', ...args] }))
  }

  async function ctr(args: string[], { on = server, ...options }: RunOptions & { on?: TestServer } = {}) {
    const { code, stdout, stderr } = await on.stockCtr(['-n', namespace, ...args], options)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }

  async function refused(args: string[]): Promise<string> {
    const { code, stderr } = await server.stockCtr(['-n', namespace, ...args])
    expect({ args, code }).toEqual({ args, code: 1 })
    return stderr.trim()
  }

  const pull = ['images', 'pull', '--local', '--plain-http']
  /** Unpacks as a client does whose lease does not hold the image: with a call for each step of each layer. */
  async function unpackInSteps(on = server) {
    await ctr(['content', 'fetch', '--plain-http', image.reference], { on })
    await ctr(['snapshots', 'unpack', image.digest], { on })
  }

  const apply = 'containerd.services.diff.v1.Diff/Apply'
  const calls = (method: string, { process }: TestServer = server) => process.output.split(method).length - 1

  /** How much the snapshots of a server take on its disk. */
  async function disk({ root }: TestServer): Promise<number> {
    const { stdout } = await runOrThrow('du', [
      '-s',
      '--block-size=1',
      join(root, 'snapshots/overlayfs/snapshots'),
    ])
    return Number(stdout.split('\t')[0])
  }

  it('prepares, views, commits, labels, lists and removes snapshots', async () => {
    await ctr(['snapshots', 'prepare', 'k'])
    expect(await refused(['snapshots', 'prepare', 'k'])).toBe('ctr: snapshot "k": already exists')
    expect(rows(await ctr(['snapshots', 'ls']))).toEqual([
      ['KEY', 'PARENT', 'KIND'],
      ['k', 'Active'],
    ])
    expect(await ctr(['snapshots', 'mounts', '/target', 'k'])).toMatch(
      /^mount -t bind \S+\/fs \/target -o rw,rbind\n$/,
    )
    await ctr(['snapshots', 'commit', 'base', 'k'])
    await ctr(['snapshots', 'view', 'v', 'base'])
    await ctr(['snapshots', 'prepare', 'w', 'base'])
    const labels = (await ctr(['snapshots', 'label', 'base', 'a=b'])).trim().split(',').sort()
    expect(labels).toEqual(['a=b', expect.stringMatching(/^containerd.io\/gc.root=/)])
    expect(JSON.parse(await ctr(['snapshots', 'info', 'v']))).toMatchObject({
      Kind: 'View',
      Name: 'v',
      Parent: 'base',
    })
    expect(JSON.parse(await ctr(['snapshots', 'info', 'base']))).toMatchObject({
      Kind: 'Committed',
      Labels: { a: 'b', 'containerd.io/gc.root': expect.any(String) },
    })
    expect(await ctr(['snapshots', 'tree'])).toBe(' base\n  \\_ v\n  \\_ w\n')
    expect(rows(await ctr(['snapshots', 'usage', 'base']))).toEqual([
      ['KEY', 'SIZE', 'INODES'],
      ['base', expect.any(String), 'B', '1'],
    ])
    expect(await refused(['snapshots', 'rm', 'base'])).toBe(
      'ctr: failed to remove "base": cannot remove snapshot with child: failed precondition',
    )
    for (const key of ['v', 'w', 'base']) await ctr(['snapshots', 'rm', key])
    expect(rows(await ctr(['snapshots', 'ls']))).toEqual([['KEY', 'PARENT', 'KIND']])
  })

  it('is told what does not exist, in the words of containerd', async () => {
    expect(await refused(['snapshots', 'info', 'x'])).toBe('ctr: snapshot x does not exist: not found')
    expect(await refused(['snapshots', 'prepare', 'k', 'x'])).toBe(
      'ctr: parent snapshot x does not exist: not found',
    )
    expect(await refused(['snapshots', '--snapshotter', 'zfs', 'ls'])).toBe(
      'ctr: snapshotter not loaded: zfs: invalid argument',
    )
    expect(
      rows(await ctr(['plugins', 'ls', 'type==io.containerd.snapshotter.v1, id==overlayfs']))[1],
    ).toEqual(['io.containerd.snapshotter.v1', 'overlayfs', expect.stringMatching(/^linux\//), 'ok'])
  })

  it('pulls and unpacks on its own account, and mounts what it unpacked', async () => {
    await ctr([...pull, image.reference])
    const committed = rows(await ctr(['snapshots', 'ls'])).slice(1)
    expect(committed.map(([key, parent]) => (parent === 'Committed' ? [key] : [key, parent])).sort()).toEqual(
      chain.map((id, index) => (index === 0 ? [id] : [id, chain[index - 1]])).sort(),
    )
    expect(await ctr(['images', 'check'])).toMatch(/\scomplete \(4\/4\)\s.*\strue/)
    expect(rows(await ctr(['images', 'usage', image.reference]))[0]).toEqual(['KEY', 'SIZE', 'INODES'])

    const target = join(scratch, `mounted-${namespace}`)
    await mkdir(target)
    await ctr(['images', 'mount', image.reference, target])
    try {
      expect(await readFile(join(target, 'etc/motd'), 'utf8')).toBe('changed\n')
      expect(await readFile(join(target, 'srv/kept'), 'utf8')).toBe('kept')
      await expect(stat(join(target, 'srv/gone'))).rejects.toThrow('ENOENT')
      const { stdout } = await runOrThrow('chroot', [target, '/bin/cat', '/etc/motd'])
      expect(stdout).toBe('changed\n')
    } finally {
      await ctr(['images', 'unmount', '--rm', target])
    }
    await ctr(['images', 'rm', '--sync', image.reference])
    expect(rows(await ctr(['snapshots', 'ls']))).toEqual([['KEY', 'PARENT', 'KIND']])
    expect((await server.stockCtr(['namespaces', 'rm', namespace])).stdout).toBe(`${namespace}\n`)
  })

  it('finds what it pulls unpacked at once, and so has nothing to apply', async () => {
    const fresh = await serve([])
    await ctr([...pull, image.reference], { on: fresh })
    const snapshots = (call: string) => calls(`containerd.services.snapshots.v1.Snapshots/${call}`, fresh)
    expect([snapshots('Stat'), snapshots('Prepare'), snapshots('Commit'), calls(apply, fresh)]).toEqual([
      ...[3, 0, 0, 0],
    ])
    expect(await ctr(['images', 'check'], { on: fresh })).toMatch(/\scomplete \(4\/4\)\s.*\strue/)
  })

  it('unpacks what it fetched, and makes layers of differences', async () => {
    await unpackInSteps()
    expect(await ctr(['snapshots', 'ls'])).toContain(chain[2])
    const mounts = JSON.parse(await ctr(['snapshots', 'prepare', '--mounts', 'changed', chain[2]!]))
    expect(mounts).toMatchObject([{ Type: 'overlay' }])
    const target = join(scratch, `changed-${namespace}`)
    await mkdir(target)
    const [{ Type: type, Source: source, Options: options }] = mounts
    await runOrThrow('mount', ['-t', type, '-o', options.join(','), source, target])
    await runOrThrow('sh', ['-c', 'echo new > etc/motd && rm srv/kept', '-'], { cwd: target })
    await runOrThrow('umount', [target])
    const { code, stdoutBytes } = await server.stockCtr([
      ...['-n', namespace, 'snapshots', 'diff', '--media-type', 'application/vnd.oci.image.layer.v1.tar'],
      'changed',
    ])
    expect(code).toBe(0)
    const { stdout } = await runOrThrow('tar', ['-t'], { input: stdoutBytes })
    expect(stdout.split('\n').filter((name) => !name.endsWith('/'))).toEqual(['etc/motd', 'srv/.wh.kept', ''])
  })

  it('gives a second namespace what the first has, for nothing', async () => {
    const second = `${namespace}-second`
    await unpackInSteps()
    const before = { disk: await disk(server), applied: calls(apply) }
    namespace = second
    await ctr([...pull, image.reference])
    expect({ disk: await disk(server), applied: calls(apply) }).toEqual(before)
    expect(rows(await ctr(['snapshots', 'ls']))).toHaveLength(4)
    expect(await ctr(['images', 'check'])).toMatch(/\scomplete \(4\/4\)\s.*\strue/)
  })

  it('and transfers give each other what they have unpacked, and lose nothing when the other removes it', async () => {
    const fresh = await serve([])
    const dist = async (args: string[]) => {
      const { code, stderr } = await fresh.dist(args, { env: { CONTAINERD_NAMESPACE: 'transferred' } })
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' })
    }
    await dist(['pull', image.reference])
    const once = await disk(fresh)
    await ctr([...pull, image.reference], { on: fresh })
    expect({ disk: await disk(fresh), applied: calls(apply, fresh) }).toEqual({ disk: once, applied: 0 })

    await dist(['images', 'rm', '--sync', image.reference])
    expect(await ctr(['images', 'check'], { on: fresh })).toMatch(/\scomplete \(4\/4\)\s.*\strue/)
    await dist(['pull', image.reference])
    expect(await disk(fresh)).toBe(once)

    await ctr(['images', 'rm', '--sync', image.reference], { on: fresh })
    await dist(['images', 'rm', '--sync', image.reference])
    expect(await disk(fresh)).toBeLessThan(once / 10)
  })

  it('shares nothing under the isolated policy', async () => {
    const isolated = await serve(['--content-sharing-policy', 'isolated'])
    await unpackInSteps(isolated)
    const first = await disk(isolated)
    namespace = `${namespace}-second`
    await unpackInSteps(isolated)
    expect(calls(apply, isolated)).toBe(6)
    namespace = `${namespace}-third`
    await ctr([...pull, image.reference], { on: isolated })
    expect(await disk(isolated)).toBeGreaterThan(2.8 * first)
  })

  it('sees the events of snapshots', async () => {
    const events = await startProcess('/usr/bin/ctr', ['-a', server.address, 'events', 'topic~="/snapshot/"'])
    resources.defer(() => events.stop())
    // The subscription begins some time after the start, and nothing tells when.
    for (let i = 0; !events.output.includes('/snapshot/prepare'); i++) {
      expect(i).toBeLessThan(100)
      await ctr(['snapshots', 'prepare', `seen-${i}`])
    }
    await ctr(['snapshots', 'commit', 'c', 'seen-0'])
    await ctr(['snapshots', 'rm', 'c'])
    await events.waitForOutput(/snapshot\/remove/)
    const about = (topic: string, payload: object) => `${namespace} ${topic} ${JSON.stringify(payload)}`
    const snapshotter = 'overlayfs'
    expect(events.output).toContain(about('/snapshot/commit', { key: 'seen-0', name: 'c', snapshotter }))
    expect(events.output).toContain(about('/snapshot/remove', { key: 'c', snapshotter }))
  })
})
