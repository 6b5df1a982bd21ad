import { describe, expect, test } from 'vitest'
import { useBench } from './bench.ts'
import type { TasksClaims } from './claims.ts'
import type { CreateTasksSubject } from './subject.ts'
import { resourcesSpec } from './suite-spec.ts'

export function inspectingTests(create: CreateTasksSubject, claims: TasksClaims): void {
  describe('what a task has', () => {
    const bench = useBench(create)

    test('are processes, those of execs with their ids', async () => {
      const { tasks } = bench()
      const { id, pid } = await bench().idle()
      expect(await tasks.pids(id)).toMatchObject([{ pid }])
      const exec = await bench().exec(id, 'one', { args: ['sleep', '1000'] })
      const infos = await tasks.pids(id)
      expect(infos.map((info) => info.pid)).toEqual([pid, exec].sort((a, b) => a - b))
      expect(infos.find((info) => info.pid === pid)?.info).toBeUndefined()
      const details = infos.find((info) => info.pid === exec)?.info
      expect(details?.typeUrl).toMatch(/containerd\.runc\.v1\.ProcessDetails$/)
      expect(new TextDecoder().decode(details?.value)).toContain('one')
    })

    test('are none after it has stopped', async () => {
      const { id } = await bench().started({ args: ['true'] })
      await bench().tasks.wait(id)
      expect(await bench().tasks.pids(id)).toEqual([])
      const metrics = await bench().tasks.metrics([`id==${id}`])
      if (claims.metricsOfRunning) expect(metrics).toEqual([])
    })

    test('are statistics', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      const other = await bench().idle()
      const all = await tasks.metrics()
      expect(all.map((metrics) => metrics.id)).toEqual(expect.arrayContaining([id, other.id]))
      const [only, ...more] = await tasks.metrics([`id==${id}`])
      expect(more).toEqual([])
      expect(only?.id).toBe(id)
      expect(Math.abs(Date.now() - (only?.timestamp.epochMilliseconds ?? 0))).toBeLessThan(60_000)
      const data = only?.data
      expect(data !== undefined && 'cgroup' in data && data.metrics.pids?.current).toBe(1n)
    })

    test('are limits, which can be changed', async () => {
      const { tasks } = bench()
      const { id } = await bench().idle()
      await tasks.update(id, { resources: resourcesSpec({ pids: { limit: 77 } }) })
      const [metrics] = await tasks.metrics([`id==${id}`])
      const data = metrics?.data
      expect(data !== undefined && 'cgroup' in data && data.metrics.pids?.limit).toBe(77n)
    })
  })
}
