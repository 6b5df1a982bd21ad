import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { useBench } from './bench.ts'
import { runtimeOptions } from './runtime-options.ts'
import type { CreateTasksSubject } from './subject.ts'

export function helperCgroupTests(create: CreateTasksSubject): void {
  describe('the cgroup of a helper process', () => {
    const bench = useBench(create)
    let name: string
    let directories: string[]

    beforeEach(() => {
      name = `/nsbox-helper-${process.pid}-${Math.random().toString(36).slice(2)}`
      directories = hierarchies().map((mountPoint) => join(mountPoint, name))
      for (const directory of directories) mkdirSync(directory)
    })
    afterEach(removed)

    const inside = () =>
      directories.flatMap((path) =>
        readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean),
      )
    const options = () => runtimeOptions({ shimCgroup: name })

    /** A cgroup cannot be removed while it has a process, nor for a moment after that. */
    async function removed(): Promise<void> {
      for (const path of directories)
        if (existsSync(path)) await expect.poll(() => rmdirSync(path)).toBeUndefined()
    }

    test('can be removed once the last task has been deleted', async () => {
      const { tasks } = bench()
      const ids: string[] = []
      for (let count = 0; count < 2; count++)
        ids.push((await bench().started({ args: ['true'] }, { options: options() })).id)
      expect(inside()).not.toEqual([])
      for (const id of ids) {
        await tasks.wait(id)
        await tasks.delete(id)
      }
      await removed()
    })

    test('can be removed after a task that could not be made', async () => {
      const id = await bench().container({ args: ['nonesuch'] })
      await expect(
        bench().tasks.create(id, { rootfs: bench().subject.rootfs, options: options() }),
      ).rejects.toThrow()
      await removed()
    })
  })
}

/**
 * Where hierarchies of cgroups are mounted in which a new one takes processes at once, of both versions. CRIU mounts
 * each a second time for as long as it works.
 */
function hierarchies(): string[] {
  const found = new Map<string, string>()
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const [before, after] = line.split(' - ')
    const [, , device, , mountPoint] = before!.split(' ')
    if (after === undefined || device === undefined || mountPoint === undefined) continue
    if (after.startsWith('cgroup') && !mountPoint.endsWith('/cpuset') && !found.has(device))
      found.set(device, mountPoint)
  }
  return [...found.values()]
}
