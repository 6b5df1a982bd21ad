import { readFileSync, writeSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { waitUntil } from '../../testing/wait-until.ts'
import { ContainerCgroup } from '../container-cgroup.ts'
import { eventFileSource } from './event-file-source.ts'
import { EventfdSource } from './eventfd-source.ts'
import { type OomSource, OomWatcher } from './oom-watch.ts'

const cgroupAt = (controller: string, directory: string) =>
  new ContainerCgroup(
    controller === '' ? 2 : 1,
    new Map([[controller, '/c']]),
    new Map([[controller, directory]]),
  )

const silent: OomSource = { watch: () => ({ [Symbol.dispose]() {} }), [Symbol.dispose]() {} }

describeWith({ linux: true }, 'a watch for memory exhaustion', () => {
  test('reads the events of the unified hierarchy when they change', async () => {
    await using scratch = await tempDir()
    const file = join(scratch.path, 'memory.events')
    // Always of one length and not truncated first, so that no reader sees a half-written file.
    const events = (kills: number) =>
      writeFile(file, `low 0\nhigh 0\nmax 9\noom 9\noom_kill ${kills}\n`, { flag: 'r+' })
    await writeFile(file, '')
    await events(2)
    using watcher = new OomWatcher(eventFileSource, () => {})
    let ooms = 0
    const watch = watcher.watch(cgroupAt('', scratch.path), () => ooms++)
    await events(3)
    await waitUntil(() => ooms === 1)
    await events(3)
    watch.check()
    expect(ooms).toBe(1)
    watch[Symbol.dispose]()
    watch[Symbol.dispose]()
  })

  test('tells of a cgroup that may not be killed in, each time that it gets stuck', async () => {
    await using scratch = await tempDir()
    const control = (under: number, kills = 0) =>
      writeFile(
        join(scratch.path, 'memory.oom_control'),
        `oom_kill_disable 1\nunder_oom ${under}\noom_kill ${kills}\n`,
      )
    await control(0)
    using watcher = new OomWatcher(silent, () => {})
    let ooms = 0
    using watch = watcher.watch(cgroupAt('memory', scratch.path), () => ooms++)
    const seen: number[] = []
    for (const under of [1, 1, 0, 1]) {
      await control(under)
      watch.check()
      seen.push(ooms)
    }
    expect(seen).toEqual([1, 1, 1, 2])
  })

  test('tells of a kill that the kernel counts only after its event', async () => {
    await using scratch = await tempDir()
    const at = (name: string) => join(scratch.path, name)
    const kills = (count: number) =>
      writeFile(at('memory.oom_control'), `oom_kill_disable 0\nunder_oom 0\noom_kill ${count}\n`)
    await kills(0)
    await writeFile(at('cgroup.event_control'), '')
    using watcher = new OomWatcher(new EventfdSource(), () => {})
    let ooms = 0
    using _ = watcher.watch(cgroupAt('memory', scratch.path), () => ooms++)
    // What the kernel is told: the descriptor to add to.
    const [counter] = (await readFile(at('cgroup.event_control'), 'utf8')).split(' ')
    writeSync(Number(counter), new BigUint64Array([1n]))
    const info = () => readFileSync(`/proc/self/fdinfo/${counter}`, 'utf8')
    await waitUntil(() => /^eventfd-count: +0$/m.test(info()))
    expect(ooms).toBe(0)
    await kills(1)
    await waitUntil(() => ooms === 1)
  })

  test('has nothing to tell without the controller', async () => {
    await using scratch = await tempDir()
    const before = (await readdir('/proc/self/fd')).length
    using watcher = new OomWatcher(eventFileSource, () => {})
    using watch = watcher.watch(cgroupAt('', scratch.path), () => expect.unreachable())
    watch.check()
    expect((await readdir('/proc/self/fd')).length).toBe(before)
  })
})
