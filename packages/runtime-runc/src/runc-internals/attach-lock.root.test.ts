import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir, traceProcess } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, test } from 'vitest'
import { CgroupHost } from '../cgroups/cgroup-host.ts'
import { AttachLock } from './attach-lock.ts'

const ownCgroups = () => readFile('/proc/self/cgroup', 'utf8')

describe('the lock for moves between cgroups', () => {
  test('is left alone where it cannot be taken, and tried again when the next move is expected', async () => {
    await using directory = await tempDir('nsbox-lock')
    const file = join(directory.path, 'below', 'cgroup.threads')
    let looks = 0
    const lock = new AttachLock(() => {
      looks += 1
      return file
    })
    lock.expect()
    await expect.poll(() => looks).toBe(1)
    await mkdir(join(directory.path, 'below'))
    await writeFile(file, '')
    await expect
      .poll(async () => {
        lock.expect()
        return await readFile(file, 'utf8')
      })
      .toBe(String(process.pid))
  })

  test('is not waited for twice at a time', async () => {
    await using directory = await tempDir('nsbox-lock')
    const file = join(directory.path, 'cgroup.threads')
    await writeFile(file, '')
    let looks = 0
    const lock = new AttachLock(() => {
      looks += 1
      return file
    })
    for (let time = 0; time < 5; time++) lock.expect()
    expect(looks).toBe(1)
    await expect.poll(() => readFile(file, 'utf8')).toBe(String(process.pid))
  })
})

describeWith({ root: true, linux: true, programs: ['strace'] }, 'the lock of this host', () => {
  test('is taken, and moves this process nowhere', async () => {
    const before = await ownCgroups()
    const host = await CgroupHost.open()
    let looks = 0
    const lock = new AttachLock(() => {
      looks += 1
      return host.ownThreads()
    })
    await using trace = await traceProcess(['write'], process.pid)
    // Each look but the first follows on a write that has ended.
    await expect
      .poll(() => {
        lock.expect()
        return looks
      })
      .toBeGreaterThan(3)
    const calls = await trace.stop()
    const taken = calls.filter(({ args }) => args.includes(`/cgroup.threads>, "${process.pid}"`))
    const unified = host.ownThreads() !== undefined
    expect(taken.some(({ result }) => result === String(String(process.pid).length))).toBe(unified)
    expect(await ownCgroups()).toBe(before)
  })
})
