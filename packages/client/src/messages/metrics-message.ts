import { typeName, unpackAny } from '@nsbox/api'
import { MetricsSchema as V1Schema } from '@nsbox/api/gen/cgroups/v1/metrics_pb'
import { MetricsSchema as V2Schema } from '@nsbox/api/gen/cgroups/v2/metrics_pb'
import type { Metric } from '@nsbox/api/gen/types/metrics_pb'
import type { TaskMetrics } from '@nsbox/core/tasks'
import { received, receivedTime } from '../connection/received.ts'
import { receivedOpaque } from './opaque-value.ts'

/** What a task has used up, from a response. */
export function receivedMetrics({ id, timestamp, data }: Metric): TaskMetrics {
  return {
    id,
    timestamp: receivedTime(timestamp, 'timestamp'),
    data: receivedData(received(data, 'metrics')),
  }
}

function receivedData(data: NonNullable<Metric['data']>): TaskMetrics['data'] {
  switch (typeName(data)) {
    case V1Schema.typeName:
      return { cgroup: 1, metrics: unpackAny(V1Schema, data) }
    case V2Schema.typeName:
      return { cgroup: 2, metrics: unpackAny(V2Schema, data) }
    default:
      return { opaque: receivedOpaque(data) }
  }
}
