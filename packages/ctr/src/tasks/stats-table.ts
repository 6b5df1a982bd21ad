import type { TaskUsage } from '@nsbox/core/tasks'
import { formatBinarySize } from '../format-size.ts'
import { renderTable } from '../table.ts'

/** What a container uses. */
export interface ContainerStats extends TaskUsage {
  readonly id: string
  /** Empty where there is none. */
  readonly image: string
  /** Processor time since the measurement before, of one processor; undefined if that is not known. */
  readonly cpuPercent?: number | undefined
}

/** A table of what containers use, with `-` for what is not known; NET I/O is left out where no server tells it. */
export function statsTable(stats: readonly ContainerStats[]): string {
  const hasNetwork = stats.some(({ receivedBytes }) => receivedBytes !== undefined)
  const heads = ['CONTAINER', 'IMAGE', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %']
  const rows = stats.map((one) => [
    ...[one.id, one.image || '-', percent(one.cpuPercent)],
    ...[pair(one.workingSetBytes, one.memoryLimitBytes), percent(memoryPercent(one))],
    ...(hasNetwork ? [pair(one.receivedBytes, one.sentBytes)] : []),
    ...[pair(one.readBytes, one.writtenBytes), one.pids === undefined ? '-' : `${one.pids}`],
  ])
  const columns = [...heads, ...(hasNetwork ? ['NET I/O'] : []), 'BLOCK I/O', 'PIDS']
  return renderTable([columns, ...rows], { minWidth: 8, padding: 2 })
}

function memoryPercent({ workingSetBytes, memoryLimitBytes }: ContainerStats): number | undefined {
  if (workingSetBytes === undefined || memoryLimitBytes === undefined) return undefined
  return (workingSetBytes / memoryLimitBytes) * 100
}

const percent = (value: number | undefined) => (value === undefined ? '-' : `${value.toFixed(2)}%`)

const pair = (first: number | undefined, second: number | undefined) => `${size(first)} / ${size(second)}`

const size = (bytes: number | undefined) => (bytes === undefined ? '-' : formatBinarySize(bytes))
