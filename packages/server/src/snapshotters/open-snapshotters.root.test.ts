import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mount, overlayMount } from '@nsbox/mount'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { PluginConnection } from '../proxy-plugins/plugin-connection.ts'
import { backgroundCleanup } from './background-cleanup.ts'
import { openSnapshotters } from './open-snapshotters.ts'

describeWith({ root: true, linux: true }, 'the snapshotters of a server', () => {
  let resources: AsyncDisposableStack
  let path: string
  let logged: { level: number; snapshotter: string; msg: string }[]
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) })

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    path = resources.use(await scratchMount()).path
    logged = []
  })
  afterEach(() => resources.disposeAsync())

  const open = async (root: string) => {
    return resources.use(await openSnapshotters({ root, durability: 'relaxed', log }))
  }

  test('each have a directory of their name', async () => {
    const { entries } = await open(path)
    expect(entries.map(({ name, root, refusal }) => ({ name, root, refusal }))).toEqual([
      { name: 'overlayfs', root: join(path, 'overlayfs'), refusal: undefined },
      { name: 'native', root: join(path, 'native'), refusal: undefined },
    ])
    for (const { snapshotter } of entries) await snapshotter?.prepare('k', undefined)
    expect(logged).toEqual([])
  })

  test('have a name each: a proxy plugin cannot have that of another', async () => {
    const connections = ['one', 'native', 'one'].map((name) => {
      const plugin = { name, type: 'snapshot', address: join(path, 'none.sock') } as const
      return resources.use(new PluginConnection(plugin))
    })
    const opening = (proxied: readonly PluginConnection[]) =>
      openSnapshotters({
        ...{ root: path, durability: 'relaxed', log },
        proxied: { connections: proxied, mark: 'mark', namespaces: async () => [] },
      })
    for (const [name, wrong] of [
      ['native', connections.slice(0, 2)],
      ['one', [connections[0]!, connections[2]!]],
    ] as const)
      await expect(opening(wrong)).rejects.toThrow(
        `proxy plugin ${name}: another snapshotter has that name: invalid argument`,
      )
    await using opened = await opening(connections.slice(0, 1))
    expect(opened.entries.map(({ name }) => name)).toEqual(['overlayfs', 'native', 'one'])
  })

  test('are told to be absent where the file system is not for them', async () => {
    for (const name of ['lower', 'upper', 'work', 'mounted']) await mkdir(join(path, name))
    const [lower, upper, work] = ['lower', 'upper', 'work'].map((name) => join(path, name))
    // The layers of an overlay cannot be written on an overlay.
    await mount(overlayMount({ lower: [lower!], upper: upper!, work: work! }), join(path, 'mounted'))
    const { entries } = await open(join(path, 'mounted'))
    const absent = entries.find(({ name }) => name === 'overlayfs')
    expect(absent).toMatchObject({ refusal: { code: 'failed_precondition' } })
    expect(absent?.snapshotter).toBeUndefined()
    await entries.find(({ name }) => name === 'native')?.snapshotter?.prepare('k', undefined)
    expect(logged).toMatchObject([{ level: 40, snapshotter: 'overlayfs' }])
  })

  test('with damaged data are an error', async () => {
    await mkdir(join(path, 'overlayfs'))
    await writeFile(join(path, 'overlayfs/metadata.db'), 'no database'.repeat(1000))
    await expect(open(path)).rejects.toMatchObject({ code: 'data_loss' })
  })

  test('lose, in the background, what a killed server left', async () => {
    const { entries } = await open(path)
    const left = join(path, 'overlayfs/snapshots/7')
    await mkdir(join(left, 'fs'), { recursive: true })
    resources.use(backgroundCleanup(entries, log))
    await expect.poll(() => readdir(join(path, 'overlayfs/snapshots'))).toEqual([])
    expect(logged).toEqual([])
  })

  test('say so where something cannot be cleaned up', async () => {
    const { entries } = await open(path)
    const failing = { ...entries[0]!, snapshotter: undefined }
    const cleanup = () => Promise.reject(new Error('broken'))
    resources.use(backgroundCleanup([{ ...failing, snapshotter: { cleanup } as never }], log))
    await expect.poll(() => logged).toMatchObject([{ level: 40, msg: 'cleaning up snapshots' }])
  })
})
