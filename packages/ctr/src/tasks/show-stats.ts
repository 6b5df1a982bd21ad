import { setTimeout as delay } from 'node:timers/promises'
import { type TaskMetrics, taskUsage } from '@nsbox/core/tasks'
import { isNotFound, NsboxError, quoted, undefinedIf } from '@nsbox/errors'
import { print, printText } from '../print.ts'
import type { Session } from '../session.ts'
import { untilInterrupted } from '../until-interrupted.ts'
import { cpuPercent } from './cpu-percent.ts'
import { type ContainerStats, statsTable } from './stats-table.ts'

/** What `stats` may be told. */
export interface StatsFlags {
  /** False for `--no-stream`. */
  readonly stream: boolean
  /** Milliseconds. */
  readonly interval: number
  readonly json?: boolean
}

/** `stats` */
export async function showStats(
  session: Session,
  { stream, interval, json = false }: StatsFlags,
  ids: readonly string[],
): Promise<void> {
  const { client, signal } = session
  for (const id of ids) await client.containers.get(id, { signal })
  const filters = ids.map((id) => `id==${JSON.stringify(id)}`)
  const images = new Map<string, string>()
  await untilInterrupted(signal, async () => {
    let before = await client.tasks.metrics(filters, { signal })
    requireRunning(ids, before)
    for (;;) {
      await delay(interval, undefined, { signal }).catch(() => signal.throwIfAborted())
      const now = await client.tasks.metrics(filters, { signal })
      if (ids.length > 0 && now.length === 0) return
      await addImages(session, images, now)
      show(statsOf(before, now, images), json)
      if (!stream) return
      before = now
    }
  })
}

function requireRunning(ids: readonly string[], found: readonly TaskMetrics[]): void {
  const running = new Set(found.map(({ id }) => id))
  const idle = ids.find((id) => !running.has(id))
  if (idle !== undefined)
    throw new NsboxError('failed_precondition', `container ${quoted(idle)} does not run`)
}

/** The image of a container does not change; one that is gone is forgotten. */
async function addImages(
  { client, signal }: Session,
  images: Map<string, string>,
  found: readonly TaskMetrics[],
): Promise<void> {
  const running = new Set(found.map(({ id }) => id))
  for (const id of images.keys()) if (!running.has(id)) images.delete(id)
  for (const id of running) {
    if (images.has(id)) continue
    const container = await undefinedIf(isNotFound, client.containers.get(id, { signal }))
    images.set(id, container?.image ?? '')
  }
}

function statsOf(
  before: readonly TaskMetrics[],
  now: readonly TaskMetrics[],
  images: ReadonlyMap<string, string>,
): ContainerStats[] {
  const earlier = new Map(before.map((metrics) => [metrics.id, metrics]))
  return now
    .map((metrics) => ({
      id: metrics.id,
      image: images.get(metrics.id) ?? '',
      cpuPercent: cpuPercent(earlier.get(metrics.id), metrics),
      ...taskUsage(metrics.data),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

function show(stats: readonly ContainerStats[], json: boolean): void {
  if (json) {
    print(JSON.stringify(stats))
    return
  }
  // From the upper left corner on, so that a measurement takes the place of the one before.
  if (process.stdout.isTTY) process.stdout.write('\u001b[H\u001b[J')
  printText(statsTable(stats))
}
