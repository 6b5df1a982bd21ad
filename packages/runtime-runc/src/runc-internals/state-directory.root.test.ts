import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isErrno } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { hasEnded as hasEndedNow } from '../runc/has-ended.ts'
import { untilExecuted } from '../runc/until-executed.ts'
import type { BundleSpec } from '../testing/busybox-bundle.ts'
import { hasEnded, type TestContainer, testContainer } from '../testing/test-container.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { StateDirectory } from './state-directory.ts'

const sleeping: BundleSpec = { args: ['sleep', '1000'] }
const timeout = 10_000

const directoryOf = ({ directory, id }: TestContainer) => join(directory, 'root', id)
const kept = ({ directory, id }: TestContainer) => StateDirectory.read(join(directory, 'root'), id)!

async function cgroupsOf(container: TestContainer): Promise<string[]> {
  const state = await readFile(join(directoryOf(container), 'state.json'), 'utf8')
  return Object.values((JSON.parse(state) as { cgroup_paths: Record<string, string> }).cgroup_paths)
}

async function kill(container: TestContainer): Promise<void> {
  await container.runc.kill(container.id, 9)
  await waitUntil(hasEnded(container.pid))
}

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox'] },
  'a container as runc keeps it',
  () => {
    test('is started as runc does it', async () => {
      await using container = await testContainer(sleeping)
      expect(await kept(container).start(timeout)).toBe(true)
      expect(await readdir(directoryOf(container))).toEqual(['state.json'])
      expect(await container.runc.state(container.id)).toMatchObject({
        status: 'running',
        pid: container.pid,
      })
      await waitUntil(async () => (await readFile(`/proc/${container.pid}/comm`, 'utf8')) === 'sleep\n')
    })

    test('counts as started if its process has ended before anybody looks', async () => {
      await using container = await testContainer({ args: ['true'] })
      const starting = kept(container).start(timeout)
      // Blocks this process meanwhile.
      const never = new Int32Array(new SharedArrayBuffer(4))
      while (!hasEndedNow(container.pid)) Atomics.wait(never, 0, 0, 10)
      Atomics.wait(never, 0, 0, 150)
      expect(await starting).toBe(true)
      expect(await readdir(directoryOf(container))).toEqual(['state.json'])
    })

    test('counts as started if a start before was cut off when its process had begun', async () => {
      await using container = await testContainer(sleeping)
      const reader = openSync(
        join(directoryOf(container), 'exec.fifo'),
        constants.O_RDONLY | constants.O_NONBLOCK,
      )
      await untilExecuted(container.pid)
      closeSync(reader)
      expect(await kept(container).start(timeout)).toBe(true)
      expect(await readdir(directoryOf(container))).toEqual(['state.json'])
    })

    test('is not started twice, which runc says', async () => {
      await using container = await testContainer(sleeping)
      await kept(container).start(timeout)
      expect(await kept(container).start(timeout)).toBe(false)
      await expect(container.runc.start(container.id)).rejects.toMatchObject({ code: 'failed_precondition' })
    })

    test('is not started when its process has died, which runc says', async () => {
      await using container = await testContainer(sleeping)
      await kill(container)
      expect(await kept(container).start(timeout)).toBe(false)
      await expect(container.runc.start(container.id)).rejects.toMatchObject({ code: 'failed_precondition' })
    })

    test('is waited for so long if its process is stopped', async () => {
      await using container = await testContainer(sleeping)
      process.kill(container.pid, 'SIGSTOP')
      await expect(kept(container).start(50)).rejects.toMatchObject({
        code: 'deadline_exceeded',
      })
      process.kill(container.pid, 'SIGCONT')
    })

    test('is removed as runc does it, with its cgroups', async () => {
      await using container = await testContainer(sleeping)
      const cgroups = await cgroupsOf(container)
      expect(cgroups.filter((path) => existsSync(path))).not.toEqual([])
      await container.runc.start(container.id)
      await kill(container)
      await waitUntil(() => kept(container).remove(), 'its cgroups can be removed')
      expect(existsSync(directoryOf(container))).toBe(false)
      expect(cgroups.filter((path) => existsSync(path))).toEqual([])
      expect(await container.runc.list()).toEqual([])
    })

    test('is removed although it was never started', async () => {
      await using container = await testContainer(sleeping)
      await kill(container)
      await waitUntil(() => kept(container).remove(), 'its cgroups can be removed')
      expect(existsSync(directoryOf(container))).toBe(false)
    })

    test('stays while it runs', async () => {
      await using container = await testContainer(sleeping)
      await container.runc.start(container.id)
      expect(await kept(container).remove()).toBe(false)
      expect(await container.runc.state(container.id)).toMatchObject({ status: 'running' })
    })

    test('is runc’s to remove where others may live on, hooks run, or somebody has put something', async () => {
      await using first = await testContainer({ ...sleeping, namespaces: ['ipc'] })
      await kill(first)
      expect(await kept(first).remove()).toBe(false)

      const ran = join(first.directory, 'ran')
      const poststop = [{ path: '/bin/sh', args: ['sh', '-c', `echo yes > ${ran}`] }]
      await using second = await testContainer({ ...sleeping, hooks: { poststop } })
      await kill(second)
      expect(await kept(second).remove()).toBe(false)
      await second.runc.delete(second.id)
      expect(await readFile(ran, 'utf8')).toBe('yes\n')

      await using third = await testContainer(sleeping)
      await kill(third)
      await writeFile(join(directoryOf(third), 'something'), '')
      expect(await kept(third).remove()).toBe(false)
      expect(await readdir(directoryOf(third))).toContain('something')
    })

    test('whose cgroup has another one in it is removed by runc', async () => {
      await using container = await testContainer(sleeping)
      await container.runc.start(container.id)
      const cgroups = await cgroupsOf(container)
      const inner = cgroups.map((path) => join(path, 'inner'))
      for (const path of inner) await make(path)
      await kill(container)
      expect(await kept(container).remove()).toBe(false)
      await container.runc.delete(container.id)
      expect(inner.filter((path) => existsSync(path))).toEqual([])
      expect(cgroups.filter((path) => existsSync(path))).toEqual([])
    })

    test('is not there, or none that can be understood', async () => {
      await using container = await testContainer(sleeping)
      const root = join(container.directory, 'other')
      expect(StateDirectory.read(root, 'x')).toBeUndefined()
      await mkdir(join(root, 'x'), { recursive: true })
      const path = join(root, 'x/state.json')
      const good = JSON.parse(await readFile(join(directoryOf(container), 'state.json'), 'utf8'))
      for (const state of [
        '{',
        'null',
        '[]',
        '{}',
        JSON.stringify({ ...good, config: {} }),
        JSON.stringify({ ...good, config: { ...good.config, cgroups: null } }),
        JSON.stringify({ ...good, config: { ...good.config, namespaces: null } }),
        JSON.stringify({ ...good, cgroup_paths: { memory: 'relative' } }),
        JSON.stringify({ ...good, cgroup_paths: { memory: 7 } }),
        JSON.stringify({ ...good, intel_rdt_path: '/sys/fs/resctrl/x' }),
        JSON.stringify({ ...good, config: { ...good.config, cgroups: { Systemd: true } } }),
      ]) {
        await writeFile(path, state)
        expect(StateDirectory.read(root, 'x')).toBeUndefined()
      }
    })
  },
)

/** Makes a cgroup if the hierarchy exists. */
async function make(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}
