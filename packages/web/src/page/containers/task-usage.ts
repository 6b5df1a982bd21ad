import { fromBinary } from '@bufbuild/protobuf'
import { type Any, timestampMs } from '@bufbuild/protobuf/wkt'
import { MetricsSchema as V1Schema } from '@nsbox/api/gen/cgroups/v1/metrics_pb'
import { MetricsSchema as V2Schema } from '@nsbox/api/gen/cgroups/v2/metrics_pb'
import type { Metric } from '@nsbox/api/gen/types/metrics_pb'

/** What a task has used up at a moment. */
export interface TaskUsage {
  /** Seconds since 1970. */
  readonly at: number
  /** Seconds of processor since its start. */
  readonly cpu: number
  /** Bytes of memory now. */
  readonly memory: number
}

/** @returns undefined for metrics of another form, such as those of another runtime */
export function taskUsage({ timestamp, data }: Metric): TaskUsage | undefined {
  const used = data && decoded(data)
  return used && { at: timestamp ? timestampMs(timestamp) / 1000 : Date.now() / 1000, ...used }
}

function decoded({ typeUrl, value }: Any): Pick<TaskUsage, 'cpu' | 'memory'> | undefined {
  const name = typeUrl.slice(typeUrl.lastIndexOf('/') + 1)
  if (name === V2Schema.typeName) {
    const { cpu, memory } = fromBinary(V2Schema, value)
    return { cpu: Number(cpu?.usageUsec ?? 0n) / 1e6, memory: Number(memory?.usage ?? 0n) }
  }
  if (name === V1Schema.typeName) {
    const { cpu, memory } = fromBinary(V1Schema, value)
    return { cpu: Number(cpu?.usage?.total ?? 0n) / 1e9, memory: Number(memory?.usage?.usage ?? 0n) }
  }
  return undefined
}

/** A point of the plots: processors in use since the point before, and bytes of memory. */
export interface UsagePoint {
  readonly at: number
  readonly processors: number
  readonly memory: number
}

/** Points that a plot shows. */
export const plotPoints = 60

/** Adds what was measured to the points of a plot, of which the oldest leave. */
export function addPoint(
  points: readonly UsagePoint[],
  before: TaskUsage | undefined,
  { at, cpu, memory }: TaskUsage,
): UsagePoint[] {
  // A task that was started anew begins to count anew.
  const isContinued = before !== undefined && at > before.at && cpu >= before.cpu
  if (!isContinued)
    return before !== undefined && at <= before.at ? [...points] : [{ at, processors: 0, memory }]
  const processors = (cpu - before.cpu) / (at - before.at)
  return [...points, { at, processors, memory }].slice(-plotPoints)
}
