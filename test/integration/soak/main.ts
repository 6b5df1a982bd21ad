// Uses a server at random for some minutes and kills parts of it. `npm run soak -- --minutes 30 --seed 1 --json FILE`
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { markdown, problems } from './report.ts'
import { type PhaseKind, soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') },
    json: { type: 'string' },
  },
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) throw new TypeError(`--minutes ${values.minutes}: not a positive number`)
console.log(`seed ${values.seed}`)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

const began = performance.now()
/** The first half is for kills. Each kind has a phase at least. */
const share: Record<PhaseKind, number> = { kills: 0.5, steady: 1 }
const report = await soak({
  seed: values.seed,
  namespaces: ['soak-a', 'soak-b', 'soak-c'],
  operations: 60,
  kills: 6,
  signal: stop.signal,
  more: (kind, done) => done === 0 || performance.now() - began < minutes * 60_000 * share[kind],
  onPhase: ({ kind, seconds, footprint: { server, supervisor }, leaks }) =>
    console.error(
      `${kind}: ${Math.round(seconds)} s; server ${server.memory} KiB, supervisor ${supervisor?.memory ?? 0} KiB`,
      ...leaks.map((leak) => `\nleft ${leak}`),
    ),
})
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
console.log(markdown(report))
process.exitCode = problems(report).length === 0 ? 0 : 1
