import { mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { DiffMount } from '@nsbox/core/diff'
import { layerTarget } from '@nsbox/diff'
import { errorCode, NsboxError } from '@nsbox/errors'
import { mount } from '@nsbox/mount'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { exists, namesOf, SnapshotSandbox, type Tenant, testLayer } from '../testing/snapshot-sandbox.ts'

const layers = [testLayer({ name: 'low', content: 'low' }), testLayer({ name: 'high', content: 'high' })]
const bind = (source: string, access = 'rw'): DiffMount => ({
  type: 'bind',
  source,
  options: ['rbind', access],
})

/** A namespace with two layers and an untouched active snapshot on top of them. */
async function prepared(): Promise<{
  readonly sandbox: SnapshotSandbox
  readonly tenant: Tenant
  readonly chain: readonly string[]
  readonly mounts: DiffMount[]
  /** The directory of the active snapshot's files. */
  readonly directory: string
}> {
  const sandbox = await SnapshotSandbox.open()
  const tenant = await sandbox.tenant('tenant')
  const chain = await sandbox.unpack(tenant, ...layers)
  const mounts = await tenant.snapshotter.prepare('work', chain.at(-1))
  const { path: directory } = await tenant.snapshotter.layerDirectory('work')
  return { sandbox, tenant, chain, mounts, directory }
}

/** Removes everything that the namespace can remove. */
async function letGo(sandbox: SnapshotSandbox): Promise<void> {
  const { view, snapshotter } = await sandbox.tenant('tenant')
  await view.leases.delete('lease', { sync: true })
  expect(await namesOf(snapshotter)).toEqual([])
}

describeWith({ root: true, linux: true }, 'what is used', () => {
  test('E01 stays with all that it is based on, and goes with the first collection after', async () => {
    const { sandbox, mounts } = await prepared()
    await using _ = sandbox
    const use = await sandbox.metadata.use('tenant', { mounts })
    await letGo(sandbox)
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toHaveLength(3)
    use[Symbol.dispose]()
    use[Symbol.dispose]()
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toEqual([])
  })

  test('E01 stays as long as any use of it, by whichever path', async () => {
    const { sandbox, mounts, directory } = await prepared()
    await using _ = sandbox
    await symlink(directory, join(sandbox.path, 'link'))
    const uses = [
      await sandbox.metadata.use('tenant', { mounts }),
      await sandbox.metadata.use('other', { mounts: [bind(join(sandbox.path, 'link'), 'ro')] }),
      await sandbox.metadata.use('other', { mounts: [bind(dirname(directory))] }),
      await sandbox.metadata.use('other', { mounts: [], files: [join(directory, 'log')] }),
    ]
    await letGo(sandbox)
    for (const use of uses) {
      await sandbox.metadata.collect()
      expect(await sandbox.backings()).toHaveLength(3)
      use[Symbol.dispose]()
    }
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toEqual([])
  })

  test('E01 is used by the next process too, if that says so before it collects', async () => {
    const { sandbox, mounts } = await prepared()
    await using _ = sandbox
    const { record } = await sandbox.metadata.use('tenant', { mounts })
    await letGo(sandbox)
    await sandbox.reopen({ collector: { manual: true, scheduleDelay: 3_600_000 } })
    const use = sandbox.metadata.resume(JSON.parse(JSON.stringify(record)))
    sandbox.metadata.startCollector()
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toHaveLength(3)
    use[Symbol.dispose]()
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toEqual([])
  })

  test('E01 does not outlive its process if nobody says so', async () => {
    const { sandbox, mounts } = await prepared()
    await using _ = sandbox
    await sandbox.metadata.use('tenant', { mounts })
    await letGo(sandbox)
    await sandbox.reopen()
    await sandbox.metadata.collect()
    expect(await sandbox.backings()).toEqual([])
  })

  test('E01 can be had again by those who may have it, while it is used', async () => {
    const { sandbox, tenant, chain } = await prepared()
    await using _ = sandbox
    const mounts = await tenant.snapshotter.view('view', chain[1])
    const use = await sandbox.metadata.use('tenant', { mounts })
    await letGo(sandbox)
    const victim = await sandbox.tenant('victim')
    expect(await exists(victim.snapshotter, chain[1]!)).toBe(true)
    use[Symbol.dispose]()
    await sandbox.metadata.collect()
    expect([...(await sandbox.tree(victim, chain[1]!)).keys()].sort()).toEqual(['.', 'high', 'low'])
    await victim.view.leases.delete('lease', { sync: true })
    expect(await sandbox.backings()).toEqual([])
  })

  test('E02 is not written to by layers, although no namespace has it any more', async () => {
    const { sandbox, tenant, chain } = await prepared()
    await using _ = sandbox
    const [view] = await tenant.snapshotter.view('view', chain[0])
    await sandbox.metadata.use('tenant', { mounts: [view!] })
    await letGo(sandbox)
    const again = await sandbox.tenant('tenant')
    const other = testLayer({ name: 'evil', content: 'evil' })
    await sandbox.store(again, other)
    const applied = again.applier.apply(other.descriptor, [bind(view!.source)])
    expect(await applied.catch(errorCode)).toBe('failed_precondition')
  })

  test('E01 keeps nothing that is only in a directory of the host that is used', async () => {
    const { sandbox } = await prepared()
    await using _ = sandbox
    const use = await sandbox.metadata.use('tenant', { mounts: [bind('/', 'ro'), bind(sandbox.path, 'ro')] })
    await letGo(sandbox)
    expect(await sandbox.backings()).toEqual([])
    use[Symbol.dispose]()
  })

  test('E02 of the whole host makes all private, and what is made in it until it ends', async () => {
    const { sandbox, tenant, chain } = await prepared()
    await using _ = sandbox
    const victim = await sandbox.tenant('victim')
    expect(await exists(victim.snapshotter, chain[0]!)).toBe(true)
    // An operator's path: it contains the database as well.
    const use = await sandbox.metadata.use('tenant', { mounts: [bind(sandbox.path)] })
    const late = await sandbox.tenant('late')
    expect(await exists(late.snapshotter, chain[1]!)).toBe(false)
    const meanwhile = testLayer({ name: 'meanwhile', content: 'x' })
    await sandbox.unpack(tenant, meanwhile)
    expect(await exists(late.snapshotter, meanwhile.diffId)).toBe(false)
    use[Symbol.dispose]()
    const after = testLayer({ name: 'after', content: 'x' })
    await sandbox.unpack(tenant, after)
    expect(await exists(late.snapshotter, after.diffId)).toBe(true)
  })

  test('E02 is refused where another namespace relies on it, and leaves nothing behind', async () => {
    const { sandbox, tenant, chain } = await prepared()
    await using _ = sandbox
    const [view] = await tenant.snapshotter.view('view', chain[0])
    const mounts = [bind(view!.source)]
    const elsewhere = join(sandbox.path, 'elsewhere')
    await mkdir(elsewhere)
    await mount(bind(view!.source), elsewhere)
    const victim = await sandbox.tenant('victim')
    await exists(victim.snapshotter, chain[0]!)
    for (const given of [
      { mounts },
      { mounts: [bind(join(sandbox.path, 'overlayfs/snapshots'))] },
      { mounts: [bind(view!.source, 'ro')], changeable: true },
      { mounts: [bind(view!.source, 'ro'), bind(join(sandbox.path, 'missing'), 'ro')] },
      { mounts: [], directories: [join(view!.source, 'made/here')] },
      { mounts: [], directories: [join(elsewhere, 'made/here')] },
      { mounts: [], files: [join(elsewhere, 'log')] },
    ])
      expect(await sandbox.metadata.use('tenant', given).catch(errorCode)).toBe('failed_precondition')
    expect(await exists((await sandbox.tenant('third')).snapshotter, chain[0]!)).toBe(true)
    await (await sandbox.metadata.use('tenant', { mounts: [bind(view!.source, 'ro')] }))[Symbol.dispose]()
  })

  test('E02 by too many paths, or one that leads out of sight, is refused', async () => {
    const { sandbox } = await prepared()
    await using _ = sandbox
    const many = Array.from({ length: 5000 }, (_, index) => bind(`/${index}`))
    expect(await sandbox.metadata.use('tenant', { mounts: many }).catch(errorCode)).toBe('invalid_argument')
    const hidden = await sandbox.metadata
      .use('tenant', { mounts: [bind('/proc/self/ns/mnt')] })
      .catch(errorCode)
    expect(hidden).toBe('invalid_argument')
  })

  test('has no record where it leads to no snapshot', async () => {
    const { sandbox } = await prepared()
    await using _ = sandbox
    const path = await mkdtemp(join(sandbox.path, 'file-'))
    await writeFile(join(path, 'hosts'), '')
    const mounts = [bind(join(path, 'hosts')), { type: 'proc', source: 'proc', options: ['nosuid'] }]
    expect((await sandbox.metadata.use('tenant', { mounts })).record).toBeUndefined()
  })
})

describeWith({ root: true, linux: true }, 'a layer', () => {
  test('E02 is written to the directory that was looked at, whatever its name leads to by then', async () => {
    const { sandbox, tenant, mounts, directory } = await prepared()
    await using _ = sandbox
    const layer = testLayer({ name: 'file', content: 'layer' })
    await sandbox.store(tenant, layer)
    const seen: DiffMount[][] = []
    const applier = tenant.view.applier({
      async apply(_, given) {
        seen.push([...given])
        return { diffId: layer.diffId, size: 1, implied: [] }
      },
    })
    const link = join(sandbox.path, 'link')
    await mkdir(join(sandbox.path, 'elsewhere'))
    await symlink(join(sandbox.path, 'elsewhere'), link)
    await applier.apply(layer.descriptor, [bind(link)])
    await applier.apply(layer.descriptor, mounts)
    const names = seen.map(([mount]) => mount!.source === 'overlay' || mount!.source)
    expect(names).toEqual([expect.stringMatching(/^\/proc\/self\/fd\/\d+\/\.$/), true])
    expect(JSON.stringify(seen)).not.toContain(link)
    expect(JSON.stringify(seen)).not.toContain(`upperdir=${directory}`)
  })

  test('E02 has errors with the names that the caller has used', async () => {
    const { sandbox, tenant, mounts, directory } = await prepared()
    await using _ = sandbox
    const layer = testLayer({ name: 'file', content: 'layer' })
    await sandbox.store(tenant, layer)
    const applier = tenant.view.applier({
      async apply(_, given) {
        throw new NsboxError('data_loss', `writing to ${layerTarget(given).root}`)
      },
    })
    await expect(applier.apply(layer.descriptor, mounts)).rejects.toMatchObject({
      code: 'data_loss',
      context: `writing to ${directory}`,
    })
  })
})
