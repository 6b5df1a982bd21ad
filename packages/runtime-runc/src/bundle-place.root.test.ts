import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RestoreBench } from './testing/restore-bench.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox'] } as const

describeWith(needs, 'bundles at a place of their own', () => {
  let bench: RestoreBench
  const lines: string[] = []
  const place = () => join(bench.path, 'place')
  const open = () => bench.reopen({ bundles: place(), onLog: (line) => void lines.push(line) })
  const start = async (id: string) => {
    await bench.tasks.create(id, { rootfs: await bench.rootfs(), spec: bench.spec(id, ['sleep', '1000']) })
    return await bench.tasks.start(id)
  }

  beforeAll(async () => {
    bench = await RestoreBench.open()
  })
  afterAll(async () => {
    try {
      for (const { containerId } of await bench.tasks.list()) {
        await bench.tasks.kill(containerId, 9)
        await bench.tasks.wait(containerId)
        await bench.tasks.delete(containerId)
      }
      expect(bench.warnings).toEqual([])
    } finally {
      await bench[Symbol.asyncDispose]()
    }
  })

  test('are there for new tasks, while earlier tasks go on where they are', async () => {
    const { pid } = await start('earlier')
    await open()
    expect(await bench.tasks.get('earlier')).toMatchObject({ status: 'running', pid })
    await expect(start('earlier')).rejects.toMatchObject({ code: 'already_exists' })
    const started = await start('later')
    const bundle = join(place(), 'bench/later')
    expect(readFileSync(join(bundle, 'init.pid'), 'utf8')).toBe(String(started.pid))
    expect(existsSync(join(bundle, 'config.json'))).toBe(true)
    expect(existsSync(join(bundle, 'rootfs/bin/busybox'))).toBe(true)
    await open()
    for (const id of ['earlier', 'later'])
      expect(await bench.tasks.get(id)).toMatchObject({ status: 'running' })
  })

  test('tell the path of a shim that the runtime was opened with, and no other', async () => {
    const path = (id: string) => join(place(), 'bench', id, 'shim-binary-path')
    await bench.reopen({ bundles: place(), shimPath: '/opt/shim' })
    await start('told')
    expect(readFileSync(path('told'), 'utf8')).toBe('/opt/shim')
    await open()
    await start('untold')
    expect(readFileSync(path('told'), 'utf8')).toBe('/opt/shim')
    expect(existsSync(path('untold'))).toBe(false)
  })

  test('that are of shims stay', async () => {
    const shim = join(place(), 'bench/shim')
    mkdirSync(join(shim, 'rootfs'), { recursive: true })
    writeFileSync(join(shim, 'shim.json'), '{}')
    mkdirSync(join(place(), 'bench/begun'))
    await open()
    expect(existsSync(join(shim, 'rootfs'))).toBe(true)
    expect(existsSync(join(place(), 'bench/begun'))).toBe(false)
    expect((await bench.tasks.list()).map(({ containerId }) => containerId)).not.toContain('shim')
  })

  test('are not made, with a reason, where their log was removed', async () => {
    await open()
    rmSync(join(bench.directory, 'log'))
    await expect(start('without')).rejects.toMatchObject({ code: 'not_found' })
    expect(existsSync(join(place(), 'bench/without'))).toBe(false)
  })

  test('have one log, which goes on with the next daemon', async () => {
    await open()
    for (const id of ['one', 'two']) {
      await start(id)
      writeFileSync(join(place(), 'bench', id, 'log'), `of ${id}\n`)
    }
    await expect.poll(() => lines).toEqual(['of one', 'of two'])
    await open()
    writeFileSync(join(place(), 'bench/one/log'), 'afterwards\n')
    await expect.poll(() => lines).toEqual(['of one', 'of two', 'afterwards'])
  })
})
