import { connect, type Pruned } from '@nsbox/client'
import type { DiskUsage } from '@nsbox/core/disk'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCommand } from './command-host.ts'
import { startServer } from './programs.ts'
import { type ArchivedImage, twoPlatformImage } from './two-platform-image.ts'

describeWith({ root: true, linux: true }, 'the commands that explain the disk', () => {
  const resources = new AsyncDisposableStack()
  const image = 'example.com/app:latest'
  let made: ArchivedImage
  let address: string

  beforeAll(async () => {
    made = await twoPlatformImage(resources.use(await tempDir('nsbox-disk')).path, 3_000_000)
    address = resources.use(await startServer()).address
    for (const namespace of ['one', 'two'])
      await good(namespace, 'images', 'import', '--base-name', 'example.com/app', made.archive)
    // Nothing keeps the index of an imported layout.
    await using client = connect({ address, namespace: 'one' })
    await client.disk.collect()
  })
  afterAll(() => resources.disposeAsync())

  const ctr = (namespace: string, ...args: string[]) =>
    runCommand('ctr', ['-a', address, '-n', namespace, ...args])
  async function good(namespace: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await ctr(namespace, ...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
  }
  const usage = async () => JSON.parse(await good('one', 'df', '--json')) as DiskUsage

  it('count once what namespaces share', async () => {
    const { size, namespaces } = await usage()
    expect(namespaces).toMatchObject([
      { name: 'one', size, unique: 0, images: [{ name: image, size, unique: 0 }], containers: [], unheld: 0 },
      { name: 'two', size, unique: 0 },
    ])
    expect(size).toBeGreaterThan(6_000_000)

    await good('one', 'containers', 'create', '--snapshotter', 'overlayfs', image, 'box', 'true')
    const table = await good('one', 'df', '--verbose')
    expect(table).toMatch(/^NAMESPACE +IMAGES +CONTAINERS +CONTENT .* UNHELD\none +1 +1 .*\ntwo +1 +0 /)
    expect(table).toMatch(/\none +container +box +\d/)
    await good('one', 'containers', 'delete', 'box')
  })

  it('tell what keeps a layer and a snapshot, and where else they are', async () => {
    const [manifest] = made.image.manifests
    const layer = manifest!.layers[0]!.digest
    const lines = (await good('one', 'why', layer)).split('\n')
    expect(lines).toContain(`content ${layer}`)
    expect(lines).toContain(`  image ${image}`)
    expect(lines).toContain(`      content ${manifest!.manifest.digest}`)
    expect(lines.at(-2)).toBe('also in namespaces: two')

    const base = (await good('one', 'snapshots', 'ls')).split('\n')[1]!.split(' ')[0]!
    expect(await good('one', 'why', base)).toContain(`\n  image ${image}\n`)

    const nowhere = await ctr('three', 'why', layer)
    expect(nowhere).toMatchObject({ code: 1, stdout: '' })
    expect(nowhere.stderr).toContain('other namespaces have it: one, two')
  })

  it('prune images that no container is of, and say before what that frees', async () => {
    const prune = async (namespace: string, ...args: string[]) =>
      JSON.parse(await good(namespace, 'prune', '--json', ...args)) as Pruned
    const { size } = await usage()
    await good('one', 'containers', 'create', image, 'box', 'true')
    expect(await prune('one', '--dry-run')).toEqual({ images: [], collected: [], freed: 0 })
    await good('one', 'containers', 'delete', 'box')

    expect(await prune('one', '--dry-run', 'name==other')).toMatchObject({ images: [], freed: 0 })
    // The other namespace has the same bytes.
    expect(await prune('one')).toMatchObject({ images: [image], freed: 0 })
    const expected = await prune('two', '--dry-run')
    expect(expected).toMatchObject({ images: [image], freed: size })
    const pruned = await prune('two')
    expect(pruned).toMatchObject({ images: [image], freed: size })
    expect(pruned.collected.map(({ id }) => id).sort()).toEqual(expected.collected.map(({ id }) => id).sort())
    expect(await usage()).toMatchObject({ size: 0 })
    expect(await good('two', 'prune')).toBe('collected 0 objects, 0.0 B\n')
    expect((await ctr('two', 'prune', 'name=(')).stderr).toContain('filters: parse error')
  })

  it('say which namespace has what this one has not, and complete names', async () => {
    await good('kept', 'images', 'import', '--base-name', 'example.com/app', made.archive)
    await good('kept', 'containers', 'create', '--snapshotter', 'overlayfs', image, 'box', 'true')
    await good('kept', 'leases', 'create', '--id', 'hold')
    const { digest } = made.image.manifests[0]!.manifest
    // Other tests may have left it in their namespaces.
    const hasIt = /; namespaces? "kept".* (has|have) it(: not found)?\n$/
    const [snapshot] = (await good('kept', 'snapshots', 'ls')).split('\n').slice(1)
    for (const args of [
      ['containers', 'info', 'box'],
      ['containers', 'rm', 'box'],
      ['images', 'tag', image, 'other'],
      ['run', image, 'new'],
      ['content', 'get', digest],
      ['content', 'rm', digest],
      ['snapshots', 'info', snapshot!.split(' ')[0]!],
      ['snapshots', 'rm', snapshot!.split(' ')[0]!],
    ]) {
      const { code, stdout, stderr } = await ctr('bare', ...args)
      expect({ args, code, stdout }).toEqual({ args, code: 1, stdout: '' })
      expect(stderr).toMatch(hasIt)
    }
    for (const args of [
      ['images', 'rm', image],
      ['leases', 'rm', 'hold'],
    ])
      expect((await ctr('bare', ...args)).stderr).toMatch(hasIt)
    const names = async (...args: string[]) => {
      const typed = ['-a', address, '-n', 'kept', ...args, '']
      return (await good('bare', '__complete', 'zsh', '--', ...typed)).split('\n').slice(0, -1)
    }
    expect(await names('containers', 'rm')).toEqual(['words', 'box'])
    expect(await names('run')).toEqual(['words', image])
    expect(await names('leases', 'rm')).toEqual(['words', 'hold'])
    expect(await names('-n')).toEqual(expect.arrayContaining(['words', 'kept']))
    // Nobody has these.
    expect((await ctr('bare', 'containers', 'info', 'nobody')).stderr).not.toContain('has it')
    expect((await ctr('kept', 'containers', 'info', 'nobody')).stderr).not.toContain('has it')
  })
})
