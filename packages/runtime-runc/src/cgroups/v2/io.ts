import type { CgroupV2Metrics } from '@nsbox/core/tasks'
import { type CgroupFiles, parseNumber } from '../cgroup-files.ts'
import { pressure } from './pressure.ts'

type IOStat = NonNullable<CgroupV2Metrics['io']>

export function io(files: CgroupFiles): IOStat {
  return { usage: parseIo(files.text('io.stat') ?? ''), psi: pressure(files, 'io') }
}

/** Reads lines such as `254:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`. */
function parseIo(text: string): IOStat['usage'] {
  return text.split('\n').flatMap((line) => {
    const match = /^(\d+):(\d+) (.*)$/.exec(line.trim())
    if (match === null) return []
    const values = new Map(match[3]!.split(' ').map((pair) => pair.split('=') as [string, string]))
    const number = (key: string) => parseNumber(values.get(key) ?? '0') ?? 0n
    return [
      {
        major: BigInt(match[1]!),
        minor: BigInt(match[2]!),
        rbytes: number('rbytes'),
        wbytes: number('wbytes'),
        rios: number('rios'),
        wios: number('wios'),
      },
    ]
  })
}
