import { type TaskMetrics, taskUsage } from '@nsbox/core/tasks'

/**
 * What a task has used of one processor between two measurements; undefined if it was not there before, or was started
 * anew.
 */
export function cpuPercent(before: TaskMetrics | undefined, now: TaskMetrics): number | undefined {
  if (before === undefined) return undefined
  const [used, earlier] = [taskUsage(now.data).cpuSeconds, taskUsage(before.data).cpuSeconds]
  const nanoseconds = Number(now.timestamp.epochNanoseconds - before.timestamp.epochNanoseconds)
  if (used === undefined || earlier === undefined || used < earlier || nanoseconds <= 0) return undefined
  return ((used - earlier) / (nanoseconds / 1e9)) * 100
}
