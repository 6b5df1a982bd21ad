import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DiffMount } from '@nsbox/core/diff'
import { errorCode } from '@nsbox/errors'
import { mount, overlayMount, withTempMount } from '@nsbox/mount'
import { nextChainId } from '@nsbox/oci'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { exists, namesOf, SnapshotSandbox, type Tenant, testLayer } from '../testing/snapshot-sandbox.ts'

const base = testLayer(
  { name: 'secret/', type: '5', mode: 0o700, uid: 7, mtime: 1_000_000_000 },
  { name: 'secret/key', content: 'base' },
  { name: 'gone', content: 'to be removed' },
)
const top = testLayer({ name: 'secret/more', content: 'top' }, { name: '.wh.gone' })
const other = testLayer({ name: 'other', content: 'other' })
const chainId = nextChainId(base.diffId, top.diffId)

/** Whether an empty namespace can adopt the snapshot. */
async function isAdopted(sandbox: SnapshotSandbox, name: string = chainId): Promise<boolean> {
  const { snapshotter } = await sandbox.tenant('victim')
  return await exists(snapshotter, name)
}

/** An active snapshot on top of the base, which the server unpacked. */
interface Prepared {
  readonly sandbox: SnapshotSandbox
  readonly tenant: Tenant
  readonly mounts: DiffMount[]
  /** The directory of its files. */
  readonly directory: string
}

const key = 'work'

/** @param late whether the parent is given only at commit */
async function prepared({ late = false } = {}): Promise<Prepared & AsyncDisposable> {
  const sandbox = await SnapshotSandbox.open()
  const tenant = await sandbox.tenant('tenant')
  await sandbox.unpack(tenant, base)
  for (const layer of [top, other]) await sandbox.store(tenant, layer)
  const mounts = await tenant.snapshotter.prepare(key, late ? undefined : base.diffId)
  const { path: directory } = await tenant.snapshotter.layerDirectory(key)
  return { sandbox, tenant, mounts, directory, [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose]() }
}

const bind = (source: string): DiffMount => ({ type: 'bind', source, options: ['rbind', 'rw'] })
const apply = ({ tenant, mounts }: Prepared) => tenant.applier.apply(top.descriptor, mounts)

describeWith({ root: true, linux: true }, 'a snapshot that the server has made of one layer', () => {
  test('can be had by other namespaces', async () => {
    await using subject = await prepared()
    await apply(subject)
    await subject.tenant.snapshotter.commit(chainId, key)
    expect(await isAdopted(subject.sandbox)).toBe(true)
  })

  test('can be had by them whether or not its parents were there when it was made, and looks the same', async () => {
    await using subject = await prepared({ late: true })
    const { sandbox, tenant } = subject
    const { path } = await tenant.snapshotter.layerDirectory(key)
    const { implied } = await tenant.applier.apply(top.descriptor, [overlayMount({ lower: [], upper: path })])
    expect(implied).toContain('secret')
    // Implied directories are recorded, so the commit need not name them.
    await tenant.snapshotter.commit(chainId, key, { parent: base.diffId })
    expect(await isAdopted(sandbox)).toBe(true)
    const tree = await sandbox.tree(await sandbox.tenant('victim'), chainId)
    expect([...tree.keys()].sort()).toEqual(['.', 'secret', 'secret/key', 'secret/more'])
    expect(tree.get('secret')).toMatchObject({ mode: '700', uid: 7 })
  })

  test('stays what it is when the server starts again', async () => {
    await using subject = await prepared()
    await apply(subject)
    await subject.sandbox.reopen()
    const { snapshotter } = await subject.sandbox.tenant('tenant')
    await snapshotter.commit(chainId, key)
    await subject.sandbox.reopen()
    expect(await isAdopted(subject.sandbox)).toBe(true)
  })
})

describeWith({ root: true, linux: true }, 'D23 a snapshot is never adopted', () => {
  const poison: readonly (readonly [what: string, attack: (subject: Prepared) => Promise<void>])[] = [
    [
      'that a client has filled itself',
      async ({ tenant, mounts }) => {
        await withTempMount(mounts, (path) => writeFile(join(path, 'evil'), 'evil'))
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that a task could write to before it was unpacked',
      async (subject) => {
        await subject.sandbox.metadata.use('tenant', { mounts: subject.mounts })
        await apply(subject)
        await subject.tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that a task could write to after it was unpacked',
      async (subject) => {
        await apply(subject)
        await subject.sandbox.metadata.use('tenant', { mounts: subject.mounts })
        await subject.tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that a task could write to in part',
      async (subject) => {
        await apply(subject)
        await subject.sandbox.metadata.use('tenant', {
          mounts: [bind(join(subject.directory, 'secret'))],
        })
        await subject.tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'whose mounts somebody has asked for',
      async (subject) => {
        await apply(subject)
        await subject.tenant.snapshotter.mounts(key)
        await subject.tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that a second layer was applied to',
      async (subject) => {
        await subject.tenant.applier.apply(other.descriptor, subject.mounts)
        await apply(subject)
        await subject.tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that a second layer was applied to by another way to its files',
      async (subject) => {
        const { sandbox, tenant, directory } = subject
        await symlink(dirname(directory), join(sandbox.path, 'link'))
        const path = join(sandbox.path, 'link', basename(directory))
        await tenant.applier.apply(other.descriptor, [bind(path)])
        await apply(subject)
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that a second layer was applied to from above',
      async (subject) => {
        const { tenant, directory } = subject
        await apply(subject)
        await tenant.applier.apply(other.descriptor, [bind(dirname(directory))])
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that another namespace has applied a layer to',
      async (subject) => {
        const stranger = await subject.sandbox.tenant('stranger')
        await subject.sandbox.store(stranger, other)
        await stranger.applier.apply(other.descriptor, subject.mounts)
        await apply(subject)
        await subject.tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'whose layer was applied again after a failure',
      async (subject) => {
        const wrong = { ...top.descriptor, size: top.descriptor.size + 1 }
        expect(await subject.tenant.applier.apply(wrong, subject.mounts).catch(errorCode)).toBe('data_loss')
        await apply(subject)
        await subject.tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'whose layer was applied again after the server had died in it',
      async (subject) => {
        const { tenant, sandbox, mounts } = subject
        const dying = tenant.view.applier({ apply: () => Promise.reject(new Error('died')) })
        await expect(dying.apply(top.descriptor, mounts)).rejects.toThrow('died')
        await sandbox.reopen()
        const again = await sandbox.tenant('tenant')
        await again.applier.apply(top.descriptor, mounts)
        await again.snapshotter.commit(chainId, key)
      },
    ],
    [
      // A power cut may have lost the record of another writer.
      'that was prepared before the server started',
      async (subject) => {
        await subject.sandbox.reopen()
        const { applier, snapshotter } = await subject.sandbox.tenant('tenant')
        await applier.apply(top.descriptor, subject.mounts)
        await snapshotter.commit(chainId, key)
      },
    ],
    [
      'whose layer carried out its removals where there was nothing to remove',
      async ({ tenant, directory }) => {
        await tenant.applier.apply(top.descriptor, [bind(directory)])
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'whose removals are written in a way that its snapshotter does not read',
      async ({ tenant, directory }) => {
        const mount = overlayMount({ lower: [], upper: directory }, ['userxattr'])
        await tenant.applier.apply(top.descriptor, [mount])
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'whose implied directories came to look like those of a client’s own',
      async ({ tenant, directory, sandbox }) => {
        const lower = join(sandbox.path, 'lower')
        await mkdir(join(lower, 'secret'), { recursive: true, mode: 0o777 })
        await tenant.applier.apply(top.descriptor, [overlayMount({ lower: [lower], upper: directory })])
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that was made as if there were no parent, and has one',
      async ({ tenant, directory }) => {
        await tenant.applier.apply(top.descriptor, [overlayMount({ lower: [], upper: directory })])
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'to which a layer was applied by a mount elsewhere on the host',
      async (subject) => {
        const { sandbox, tenant, directory } = subject
        await apply(subject)
        const place = join(sandbox.path, 'elsewhere')
        await mkdir(place)
        await mount(bind(directory), place)
        await tenant.applier.apply(other.descriptor, [bind(place)])
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'in which a task can write by an overlay that is mounted on the host',
      async (subject) => {
        const { sandbox, tenant, directory } = subject
        await apply(subject)
        for (const name of ['lower', 'merged', 'overlayfs/work']) await mkdir(join(sandbox.path, name))
        const work = join(sandbox.path, 'overlayfs/work')
        const overlay = overlayMount({ lower: [join(sandbox.path, 'lower')], upper: directory, work })
        await mount(overlay, join(sandbox.path, 'merged'))
        await sandbox.metadata.use('tenant', { mounts: [bind(join(sandbox.path, 'merged'))] })
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that was committed while the layer was being applied',
      async ({ tenant, mounts }) => {
        const slow = tenant.view.applier({
          async apply() {
            await tenant.snapshotter.commit(chainId, key)
            return { diffId: top.diffId, size: 1, implied: [] }
          },
        })
        await slow.apply(top.descriptor, mounts)
      },
    ],
    [
      'whose name is not what follows from its layer',
      async ({ tenant, mounts }) => {
        await tenant.applier.apply(other.descriptor, mounts)
        await tenant.snapshotter.commit(chainId, key)
      },
    ],
    [
      'that a task can write to after all',
      async (subject) => {
        await apply(subject)
        await subject.tenant.snapshotter.commit(chainId, key)
        await subject.sandbox.metadata.use('tenant', { mounts: [bind(subject.directory)] })
      },
    ],
    [
      'whose parent a task can write to after all',
      async (subject) => {
        const { sandbox, tenant } = subject
        await apply(subject)
        await tenant.snapshotter.commit(chainId, key)
        await tenant.snapshotter.view('base', base.diffId)
        const [parent] = await tenant.snapshotter.mounts('base')
        await sandbox.metadata.use('tenant', { mounts: [bind(parent!.source)] })
      },
    ],
  ]

  for (const [what, attack] of poison) {
    test(what, async () => {
      await using subject = await prepared()
      await attack(subject)
      const { snapshotter } = await subject.sandbox.tenant('tenant')
      expect(await namesOf(snapshotter)).toContain(chainId)
      expect(await isAdopted(subject.sandbox)).toBe(false)
    })
  }

  test('whose removals were carried out before it had a parent', async () => {
    await using subject = await prepared({ late: true })
    await apply(subject)
    await subject.tenant.snapshotter.commit(chainId, key, { parent: base.diffId })
    expect(await isAdopted(subject.sandbox)).toBe(false)
  })

  test('whose removals are written down where there is nothing below', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const tenant = await sandbox.tenant('tenant')
    const lowest = testLayer({ name: 'file', content: 'x' }, { name: '.wh.gone' })
    await sandbox.store(tenant, lowest)
    await tenant.snapshotter.prepare(key, undefined)
    const { path } = await tenant.snapshotter.layerDirectory(key)
    await tenant.applier.apply(lowest.descriptor, [overlayMount({ lower: [], upper: path })])
    await tenant.snapshotter.commit(lowest.diffId, key)
    expect(await isAdopted(sandbox, lowest.diffId)).toBe(false)
  })

  test('whose parent is a client’s own', async () => {
    await using sandbox = await SnapshotSandbox.open()
    const tenant = await sandbox.tenant('tenant')
    await tenant.snapshotter.prepare('mine', undefined)
    await tenant.snapshotter.commit(base.diffId, 'mine')
    await sandbox.unpack(tenant, base, top)
    expect(await isAdopted(sandbox)).toBe(false)
    expect(await isAdopted(sandbox, base.diffId)).toBe(false)
  })
})

describeWith({ root: true, linux: true }, 'applying', () => {
  test('does not reach into committed snapshots', async () => {
    await using subject = await prepared()
    const { tenant, directory, sandbox } = subject
    await apply(subject)
    await tenant.snapshotter.commit(chainId, key)
    await mkdir(join(directory, 'secret'), { recursive: true })
    for (const path of [directory, join(directory, 'secret'), dirname(dirname(directory))])
      expect(await tenant.applier.apply(other.descriptor, [bind(path)]).catch(errorCode)).toBe(
        'failed_precondition',
      )
    expect(await isAdopted(sandbox)).toBe(true)
  })

  test('takes only blobs that the namespace has', async () => {
    await using subject = await prepared()
    const stranger = await subject.sandbox.tenant('stranger')
    const mounts = await stranger.snapshotter.prepare('mine', undefined)
    expect(await stranger.applier.apply(top.descriptor, mounts).catch(errorCode)).toBe('not_found')
    await subject.sandbox.store(stranger, top)
    await stranger.applier.apply(top.descriptor, mounts)
  })

  test('is done as ever where no snapshot is', async () => {
    await using subject = await prepared()
    const path = join(subject.sandbox.path, 'elsewhere')
    await mkdir(path)
    expect(await subject.tenant.applier.apply(other.descriptor, [bind(path)])).toMatchObject({
      diffId: other.diffId,
    })
  })
})
