import { create, toBinary } from '@bufbuild/protobuf'
import { MetricsSchema } from '@nsbox/api/gen/cgroups/v2/metrics_pb'
import { MetricSchema } from '@nsbox/api/gen/types/metrics_pb'
import { expect, it } from 'vitest'
import { addPoint, plotPoints, taskUsage, type UsagePoint } from './task-usage.ts'

it('reads the metrics of cgroups, and passes over those of another form', () => {
  const metrics = create(MetricsSchema, { cpu: { usageUsec: 2_500_000n }, memory: { usage: 4096n } })
  const value = toBinary(MetricsSchema, metrics)
  const timestamp = { seconds: 7n, nanos: 500_000_000 }
  const metric = (typeUrl: string) => create(MetricSchema, { id: 'c', timestamp, data: { typeUrl, value } })
  expect(taskUsage(metric(MetricsSchema.typeName))).toEqual({ at: 7.5, cpu: 2.5, memory: 4096 })
  expect(taskUsage(metric('of.another.Form'))).toBeUndefined()
})

it('tells of the processors in use between two measurements, and begins anew with a task that counts anew', () => {
  let points: UsagePoint[] = addPoint([], undefined, { at: 1, cpu: 10, memory: 5 })
  expect(points).toEqual([{ at: 1, processors: 0, memory: 5 }])
  points = addPoint(points, { at: 1, cpu: 10, memory: 5 }, { at: 3, cpu: 11, memory: 6 })
  expect(points[1]).toEqual({ at: 3, processors: 0.5, memory: 6 })
  expect(addPoint(points, { at: 3, cpu: 11, memory: 6 }, { at: 3, cpu: 11, memory: 6 })).toEqual(points)
  expect(addPoint(points, { at: 3, cpu: 11, memory: 6 }, { at: 4, cpu: 0, memory: 1 })).toHaveLength(1)
  for (let at = 4; at < 200; at++)
    points = addPoint(points, { at: at - 1, cpu: at, memory: 0 }, { at, cpu: at + 1, memory: 0 })
  expect(points).toHaveLength(plotPoints)
})
