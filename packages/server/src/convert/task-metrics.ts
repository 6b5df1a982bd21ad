import type { MessageInitShape } from '@bufbuild/protobuf'
import { packAny, toTimestamp } from '@nsbox/api'
import { MetricsSchema as V1Schema } from '@nsbox/api/gen/cgroups/v1/metrics_pb'
import { MetricsSchema as V2Schema } from '@nsbox/api/gen/cgroups/v2/metrics_pb'
import type { MetricSchema } from '@nsbox/api/gen/types/metrics_pb'
import type { TaskMetrics } from '@nsbox/core/tasks'

/** The message of a task's metrics. */
export function toMetricMessage({ id, timestamp, data }: TaskMetrics): MessageInitShape<typeof MetricSchema> {
  return { id, timestamp: toTimestamp(timestamp), data: toAny(data) }
}

function toAny(data: TaskMetrics['data']) {
  if ('opaque' in data) return data.opaque
  // The type differs from the message only by `readonly`.
  return data.cgroup === 1
    ? packAny(V1Schema, data.metrics as MessageInitShape<typeof V1Schema>)
    : packAny(V2Schema, data.metrics as MessageInitShape<typeof V2Schema>)
}
