import { type BusyboxArchive, busyboxArchive, startProcess, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'

describeWith({ root: true, programs: ['ctr', 'busybox'] }, 'stock ctr 1.7 with containers', () => {
  let resources: AsyncDisposableStack
  let server: TestServer
  let archive: BusyboxArchive

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    server = resources.use(await startServer())
    archive = await busyboxArchive(resources.use(await tempDir('nsbox-containers')).path)
    await ctr('images', 'import', archive.path)
  })
  afterEach(() => resources.disposeAsync())

  /** What it prints on standard output, where it succeeds. */
  async function ctr(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await server.stockCtr(args)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }

  /** What it says last on standard error, where it fails. */
  async function refused(...args: string[]): Promise<string | undefined> {
    const { code, stderr } = await server.stockCtr(args)
    expect({ args, code }).toEqual({ args, code: 1 })
    return stderr.trim().split('\n').at(-1)
  }

  const snapshots = async () => (await ctr('snapshots', 'ls')).trim().split('\n').slice(1)

  it('makes, lists, shows, labels and deletes them', async () => {
    await ctr('containers', 'create', '--label', 'a=1', archive.name, 'x', 'echo', 'hello')
    expect(await ctr('containers', 'ls')).toMatch(
      /^CONTAINER +IMAGE +RUNTIME +\nx +example\.com\/busybox:latest +io\.containerd\.runc\.v2 +\n$/,
    )
    expect(await ctr('containers', 'ls', '-q', 'labels.a==1')).toBe('x\n')
    expect(await ctr('containers', 'ls', '-q', 'id!=x')).toBe('')
    expect(await ctr('containers', 'label', 'x', 'a=')).toBe(
      'io.containerd.image.config.stop-signal=SIGTERM\n',
    )
    const info = JSON.parse(await ctr('containers', 'info', 'x'))
    expect(info).toMatchObject({ ID: 'x', SnapshotKey: 'x', Snapshotter: 'overlayfs' })
    expect(info.Spec.process.args).toEqual(['echo', 'hello'])
    expect(await refused('containers', 'create', archive.name, 'x')).toContain('already exists')
    expect(await refused('containers', 'info', 'y')).toBe(
      'ctr: container "y" in namespace "default": not found',
    )
    expect(await refused('containers', 'rm', 'y')).toBe(
      'ctr: container "y" in namespace "default": not found',
    )
    expect(await refused('containers', 'create', archive.name, 'a/b')).toContain(
      'container.ID: identifier "a/b" must match',
    )
    await ctr('containers', 'rm', 'x')
    expect(await ctr('containers', 'ls', '-q')).toBe('')
    await ctr('images', 'rm', '--sync', archive.name)
    expect(await snapshots()).toEqual([])
  })

  it('finds what a container holds until that is deleted, and its namespace as well', async () => {
    await ctr('containers', 'create', archive.name, 'x')
    await ctr('images', 'rm', '--sync', archive.name)
    expect(await snapshots()).toHaveLength(2)
    expect(await refused('namespaces', 'rm', 'default')).toMatch(
      /it still has containers, snapshots on "overlayfs" snapshotter: failed precondition$/,
    )
    await ctr('containers', 'rm', 'x')
    await expect.poll(snapshots).toEqual([])
    expect(await ctr('namespaces', 'rm', 'default')).toBe('default\n')
  })

  it('is told of what happens to them', async () => {
    const args = ['-a', server.address, 'events', 'topic~=containers']
    const events = resources.use(await startProcess('/usr/bin/ctr', args))
    // It does not say when it listens.
    for (let i = 0; !events.output.includes('/containers/create'); i++) {
      expect(i).toBeLessThan(50)
      await ctr('containers', 'create', archive.name, `first-${i}`)
    }
    await ctr('containers', 'create', archive.name, 'x')
    await ctr('containers', 'label', 'x', 'io.containerd.image.config.stop-signal=', 'a=1')
    await ctr('containers', 'rm', 'x')
    await events.waitForOutput(/containers\/delete/)
    const ofX = events.output
      .split('\n')
      .filter((line) => line.includes('"id":"x"'))
      .map((line) => line.replace(/^.* default /, ''))
    expect(ofX).toEqual([
      '/containers/create {"id":"x","image":"example.com/busybox:latest",' +
        '"runtime":{"name":"io.containerd.runc.v2","options":{"type_url":"containerd.runc.v1.Options"}}}',
      '/containers/update {"id":"x","image":"example.com/busybox:latest","labels":{"a":"1"},"snapshot_key":"x"}',
      '/containers/delete {"id":"x"}',
    ])
  })
})
