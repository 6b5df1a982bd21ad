import { runOrThrow } from '@nsbox/testing'
import { type BenchDaemon, benchDaemon } from './bench-daemon.ts'
import type { BenchContext, Goal, Row, RowGroup } from './row.ts'
import { during } from './timed.ts'

/** By the names that the client in Go has for them. */
const methods = {
  version: { what: '`Version`', one: 0.7, eight: 0.5 },
  container: { what: '`Containers.Get`', one: 0.7, eight: 0.5 },
  image: { what: '`Images.Get`', one: 0.7, eight: 0.5 },
  content: { what: '`Content.Info`', one: 0.5, eight: 0.5 },
} as const

type Method = keyof typeof methods

/** Small calls over and over, by a client in Go on one connection. */
export const calls: RowGroup = {
  rows: Object.entries(methods).flatMap(([method, { what, one, eight }]): Row[] => {
    const slow: Goal = { most: 50 }
    return [
      { id: `${method}-1`, what: `${what}, one at a time`, unit: 'per s', goal: { ratio: one } },
      { id: `${method}-8`, what: `${what}, eight at a time`, unit: 'per s', goal: { ratio: eight } },
      { id: `${method}-1-slowest`, what: `${what}, one at a time, the slowest`, unit: 'ms', goal: slow },
      { id: `${method}-8-slowest`, what: `${what}, eight at a time, the slowest`, unit: 'ms', goal: slow },
      { id: `${method}-cpu`, what: `${what}, the daemon's processor time`, unit: 'ms' },
    ]
  }),
  async measure(subject, context) {
    await using daemon = await benchDaemon(subject, context)
    const image = context.corpus.reference('busybox')
    await daemon.ctr(['images', 'pull', '--plain-http', image])
    await daemon.ctr(['containers', 'create', image, 'template', 'true'])
    const names: Record<Method, string> = {
      version: '',
      container: 'template',
      image,
      content: (await context.corpus.manifest('busybox')).digest,
    }
    const measured: Record<string, number[]> = {}
    for (const method of Object.keys(methods) as Method[]) {
      const ids = calls.rows.map(({ id }) => id).filter((id) => id.startsWith(`${method}-`))
      if (!context.wanted(...ids)) continue
      const { seconds } = context.scale
      const call = (callers: number) =>
        callOver(daemon, context, ['-method', method, '-name', names[method]], { callers, seconds })
      // Programs run faster once their code is compiled, and daemons once their caches are filled.
      await call(8)
      const one = await during(`${method}-1`, () => call(1))
      const before = await daemon.group.cpuTime()
      const eight = await during(`${method}-8`, () => call(8))
      measured[`${method}-cpu`] = [((await daemon.group.cpuTime()) - before) / eight.calls]
      measured[`${method}-1`] = [one.perSecond]
      measured[`${method}-8`] = [eight.perSecond]
      measured[`${method}-1-slowest`] = [one.slowest]
      measured[`${method}-8-slowest`] = [eight.slowest]
    }
    return measured
  },
}

interface Made {
  readonly calls: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly slowest: number
}

async function callOver(
  { address }: BenchDaemon,
  { calls: program }: BenchContext,
  args: readonly string[],
  { callers, seconds }: { readonly callers: number; readonly seconds: number },
): Promise<Made> {
  const numbers = ['-callers', `${callers}`, '-seconds', `${seconds}`]
  const { stdout } = await runOrThrow(program, ['call', '-address', address, ...numbers, ...args])
  return JSON.parse(stdout) as Made
}

const changes = { create: 'created', update: 'updated', delete: 'deleted' } as const

/** Records of containers, with the spec of one that stock `ctr` makes. */
export const records: RowGroup = {
  rows: Object.entries(changes).flatMap(([change, what]): Row[] => [
    {
      id: `${change}-1`,
      what: `container records ${what}, one at a time`,
      unit: 'per s',
      goal: { ratio: 1 },
    },
    { id: `${change}-8`, what: `container records ${what}, eight at a time`, unit: 'per s' },
  ]),
  async measure(subject, context) {
    await using daemon = await benchDaemon(subject, context)
    const image = context.corpus.reference('busybox')
    await daemon.ctr(['images', 'pull', '--plain-http', image])
    await daemon.ctr(['containers', 'create', image, 'template', 'true'])
    const change = async (callers: number, count: number) => {
      const numbers = ['-callers', `${callers}`, '-count', `${count}`]
      const args = ['records', '-address', daemon.address, '-template', 'template', ...numbers]
      const { stdout } = await runOrThrow(context.calls, args)
      return JSON.parse(stdout) as Record<keyof typeof changes, number>
    }
    const { records } = context.scale
    await change(8, records)
    const measured: Record<string, number[]> = {}
    for (const callers of [1, 8]) {
      const ids = Object.keys(changes).map((what) => `${what}-${callers}`)
      const rates = await during(ids, () => change(callers, records * Math.min(callers, 2)))
      for (const [what, perSecond] of Object.entries(rates)) measured[`${what}-${callers}`] = [perSecond]
    }
    return measured
  },
}
