import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import type { CgroupFiles } from '../cgroup-files.ts'

type PSIStats = NonNullable<NonNullable<CgroupV2Metrics['cpu']>['psi']>
type PSIData = NonNullable<PSIStats['some']>

/** How much tasks waited for something; undefined where the kernel does not measure that. */
export function pressure(files: CgroupFiles, resource: 'cpu' | 'memory' | 'io'): PSIStats | undefined {
  const text = files.text(`${resource}.pressure`)
  return text === undefined ? undefined : parsePressure(text)
}

/** Reads lines such as `some avg10=0.00 avg60=1.23 avg300=0.40 total=123456`. */
export function parsePressure(text: string): PSIStats {
  const line = (kind: string) => new RegExp(`^${kind} (.*)$`, 'm').exec(text)?.[1]
  const [some, full] = [line('some'), line('full')]
  return {
    some: some === undefined ? undefined : parseLine(some),
    full: full === undefined ? undefined : parseLine(full),
  }
}

function parseLine(line: string): PSIData {
  const value = (key: string) => new RegExp(`\\b${key}=(\\d+(?:\\.\\d+)?)`).exec(line)?.[1] ?? '0'
  return {
    avg10: Number(value('avg10')),
    avg60: Number(value('avg60')),
    avg300: Number(value('avg300')),
    total: BigInt(value('total')),
  }
}
