import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tempDir, traceProcess } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, test } from 'vitest'
import { AttachLock } from './attach-lock.ts'
import { CgroupHost } from './cgroup-host.ts'

const ownCgroups = () => readFile('/proc/self/cgroup', 'utf8')

describe('the lock for moves between cgroups', () => {
  test('is taken by this process moving itself, as long as a move is expected', async () => {
    await using directory = await tempDir('nsbox-lock')
    const file = join(directory.path, 'cgroup.procs')
    await writeFile(file, '')
    let looks = 0
    const lock = new AttachLock(() => {
      looks += 1
      return file
    })
    lock.expect()
    lock.expect()
    await expect.poll(() => readFile(file, 'utf8')).toBe('0')
    await expect.poll(() => looks).toBeGreaterThan(2)
    const settled = async () => {
      const before = looks
      await new Promise((resolve) => setTimeout(resolve, 30))
      return looks === before
    }
    await expect.poll(settled).toBe(true)
  })

  test('is left alone where it cannot be taken, and tried again when the next move is expected', async () => {
    await using directory = await tempDir('nsbox-lock')
    const file = join(directory.path, 'below', 'cgroup.procs')
    let looks = 0
    const lock = new AttachLock(() => {
      looks += 1
      return file
    })
    lock.expect()
    await expect.poll(() => looks).toBe(1)
    await mkdir(join(directory.path, 'below'))
    await expect
      .poll(async () => {
        lock.expect()
        return await readFile(file, 'utf8').catch(() => '')
      })
      .toBe('0')
  })
})

describeWith({ root: true, linux: true, programs: ['strace'] }, 'the lock of this host', () => {
  test('is taken, and moves this process nowhere', async () => {
    const before = await ownCgroups()
    const { attachLock } = await CgroupHost.open()
    await using trace = await traceProcess(['write'], process.pid)
    for (let time = 0; time < 5; time++) {
      attachLock.expect()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const taken = (await trace.stop()).filter(({ args }) => args.includes('/cgroup.procs>, "0"'))
    expect(taken.map(({ result }) => result)).toContain('1')
    expect(await ownCgroups()).toBe(before)
  })
})
