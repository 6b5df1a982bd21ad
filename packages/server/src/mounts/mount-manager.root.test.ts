import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '@nsbox/core/snapshots'
import type { GivenPaths, PathUses } from '@nsbox/core/tasks'
import { listMounts, mount } from '@nsbox/mount'
import { scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { directoryName } from './activation-record.ts'
import { MountManager } from './mount-manager.ts'

/** Counts uses that have not ended, new or resumed. */
class CountedUses implements PathUses {
  readonly given: GivenPaths[] = []
  current = 0

  async use(_namespace: string, given: GivenPaths) {
    this.given.push(given)
    return this.resume()
  }

  resume() {
    this.current++
    return {
      record: { resumable: true },
      [Symbol.dispose]: () => {
        this.current--
      },
    }
  }
}

describeWith({ root: true, linux: true }, 'a mount manager', () => {
  let resources: AsyncDisposableStack
  let path: string
  let directory: string
  let uses: CountedUses
  let low: Mount
  let layered: readonly Mount[]

  const open = (temporary = false) =>
    MountManager.open({ directory, temporary, uses, log: pino({ level: 'silent' }) })
  const made = async () => await listMounts({ under: directory })

  beforeEach(async () => {
    resources = new AsyncDisposableStack()
    path = resources.use(await scratchMount()).path
    directory = join(path, 'mounts')
    await mkdir(join(path, 'low'))
    uses = new CountedUses()
    low = { type: 'bind', source: join(path, 'low'), options: ['rbind', 'ro'] }
    layered = [low, { type: 'format/bind', source: '{{ mount 0 }}', options: ['rbind'] }]
  })
  afterEach(() => resources.disposeAsync())

  test('says which paths are used, until the mounts have ended, over a restart too', async () => {
    const manager = await open()
    await manager.activate('n', 'x', layered)
    expect(uses.given).toEqual([{ mounts: [low, { ...layered[1]!, type: 'bind' }], changeable: true }])
    expect(uses.current).toBe(1)
    await manager[Symbol.asyncDispose]()
    expect(uses.current).toBe(0)
    await using again = await open()
    expect(uses.current).toBe(1)
    expect(again.info('n', 'x').system).toEqual([
      { type: 'bind', source: again.info('n', 'x').active[0]!.mountPoint, options: ['rbind'] },
    ])
    await again.deactivate('n', 'x')
    expect(uses.current).toBe(0)
    expect(await made()).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test('lets go of the paths where mounts cannot be made', async () => {
    await using manager = await open()
    const absent: Mount = { type: 'bind', source: join(path, 'absent'), options: ['rbind'] }
    const failing = manager.activate('n', 'x', [low, absent], { temporary: true })
    await expect(failing).rejects.toMatchObject({ code: 'not_found' })
    expect(uses.current).toBe(0)
    expect(await readdir(directory)).toEqual([])
    expect(() => manager.info('n', 'x')).toThrow(expect.objectContaining({ code: 'not_found' }))
  })

  test('ends what a killed server had not completed', async () => {
    const left = join(directory, 'left')
    await mkdir(join(left, '0000'), { recursive: true })
    await mkdir(join(left, '0001'))
    await mount(low, join(left, '0000'))
    await writeFile(join(left, '.activation.json'), '{')
    await using manager = await open()
    expect(await made()).toEqual([])
    expect(await readdir(directory)).toEqual([])
    expect(manager.list('n', [])).toEqual([])
  })

  test('takes over mounts of the first program that made such ones, and refuses those of a newer', async () => {
    const left = join(directory, directoryName('n', 'x'))
    await mkdir(join(left, '0000'), { recursive: true })
    await mount(low, join(left, '0000'))
    const fixture = join(import.meta.dirname, '../testing/records/activation-1-first.json')
    const text = (await readFile(fixture, 'utf8')).replaceAll('$directory', left).replace('$low', low.source)
    const newer = JSON.stringify({ ...JSON.parse(text), format: 2 })
    await writeFile(join(left, 'activation.json'), newer)
    await expect(open()).rejects.toMatchObject({
      code: 'failed_precondition',
      message: expect.stringContaining(
        'has format 2, this program knows formats up to 1: use a newer program',
      ),
    })
    expect(await readFile(join(left, 'activation.json'), 'utf8')).toBe(newer)
    expect(await made()).toHaveLength(1)
    await writeFile(join(left, 'activation.json'), text)
    await using manager = await open()
    expect(uses.current).toBe(1)
    const { labels, active, system } = manager.info('n', 'x')
    expect(labels).toEqual({ a: 'b' })
    expect(active).toEqual([{ mount: low, mountPoint: join(left, '0000'), mountedAt: 1_764_561_376_123_456 }])
    expect(system).toEqual([{ type: 'bind', source: join(left, '0000'), options: ['rbind'] }])
    await manager.update('n', { name: 'x', labels: { a: 'c' } }, [])
    await manager.deactivate('n', 'x')
    expect(await made()).toEqual([])
    expect(await readdir(directory)).toEqual([])
  })

  test('ends the mounts of tasks that are gone, and no others', async () => {
    await using manager = await open()
    const plain = await manager.forTask('n', 'plain', [low], {})
    expect(plain).toEqual({ mounts: [low], isActivated: false })
    for (const task of ['gone', 'there']) await manager.forTask('n', task, layered, {})
    await manager.activate('n', 'gone', layered)
    await manager.endOrphans(async (_namespace, task) => task === 'there')
    expect(manager.list('n', []).map(({ name }) => name)).toEqual(['gone', 'task-rootfs/there'])
    expect(await made()).toHaveLength(2)
    await manager.endTask('n', 'there')
    await manager.endTask('n', 'there')
    await manager.deactivate('n', 'gone')
    expect(await made()).toEqual([])
  })

  test('ends all with a state directory that goes', async () => {
    {
      await using manager = await open(true)
      await manager.activate('n', 'x', layered)
      await manager.forTask('n', 'c', layered, {})
    }
    expect(await made()).toEqual([])
    expect(await readdir(directory)).toEqual([])
    expect(uses.current).toBe(0)
  })

  test('makes what is asked for at once under one name once', async () => {
    await using manager = await open()
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => manager.activate('n', 'x', layered)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await made()).toHaveLength(1)
    await manager.deactivate('n', 'x')
  })
})
