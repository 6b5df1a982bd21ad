// Measures nsbox beside containerd, in turns, and writes the table of all of it. See README.md.
import { rmSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildGoProgram, runOrThrow, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { fetchNode } from '../scripts/fetch-node.mjs'
import { diskImage } from './fresh-disk.ts'
import { quiet } from './quiet-machine.ts'
import { type Subject, subjects } from './subjects.ts'
import { alone } from './table/alone.ts'
import { blobs } from './table/blobs.ts'
import { builds } from './table/builds.ts'
import { calls, records } from './table/calls.ts'
import { quickCorpus, wholeCorpus } from './table/corpus.ts'
import { floor, floorRows } from './table/floor.ts'
import { lives } from './table/lives.ts'
import { describeMachine } from './table/machine.ts'
import { markdown } from './table/markdown.ts'
import { outcomes } from './table/outcome.ts'
import { partsOf } from './table/parts.ts'
import { plot } from './table/plot.ts'
import { pulls } from './table/pulls.ts'
import { type BenchContext, type Measured, scales } from './table/row.ts'

const groups = [calls, records, lives, pulls, blobs, builds, alone]
const rows = groups.flatMap((group) => group.rows)
const ids = [...rows, ...floorRows].map(({ id }) => id)

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    busy: { type: 'boolean', default: false },
    parts: { type: 'boolean', default: false },
    node: { type: 'string' },
    output: { type: 'string' },
  },
})
// Where it is not installed, this fails now, and not after all rounds.
if (options.parts) await runOrThrow('perf', ['version'])
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3))
if (!(Number.isSafeInteger(rounds) && rounds > 0)) throw new Error(`--rounds: no number: ${options.rounds}`)
const chosen = options.rows.split(',').filter((id) => id !== '')
for (const name of chosen)
  if (!ids.some((id) => belongs(id, name)))
    throw new Error(`--rows: no row ${name}; there are ${ids.join(', ')}`)
/** Only a table of everything takes the place of the one that is kept. */
const output = options.output ?? (chosen.length === 0 && !options.quick ? import.meta.dirname : undefined)

// Exit handlers end what runs and unmount the disk.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

await using resources = new AsyncDisposableStack()
const directory = resources.use(await tempDir('nsbox-bench')).path
process.once('exit', () => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }))
await useNode(options.node)
const scale = scales[options.quick ? 'quick' : 'whole']
const context: BenchContext = {
  corpus: resources.use(await (options.quick ? quickCorpus() : wholeCorpus())),
  disks: await diskImage(directory, scale.disk),
  calls: join(directory, 'calls'),
  scale,
  wanted: (...wanted) => chosen.length === 0 || wanted.some((id) => chosen.some((name) => belongs(id, name))),
}
await buildGoProgram(join(import.meta.dirname, 'calls'), context.calls)
if (!options.busy) await quiet()
const machine = await describeMachine(`${loadavg()[0]!.toFixed(1)} processes`)

const [containerd, ours] = ['containerd, ctr', 'nsbox, dist'].map(
  (name) => subjects.plain.find((subject) => subject.name === name)!,
)
const measured = new Map<Subject, Measured[]>([
  [ours!, []],
  [containerd!, []],
])
const floors: Measured[] = []
for (let round = 1; round <= rounds; round++) {
  for (const group of groups) {
    if (!context.wanted(...group.rows.map(({ id }) => id))) continue
    // Each is the first as often as the other.
    const inTurn = [...measured.keys()]
    for (const subject of round % 2 === 0 ? inTurn.reverse() : inTurn) {
      const values = await group.measure(subject, context)
      measured.get(subject)!.push(values)
      console.error(JSON.stringify({ round, subject: subject.name, values }))
    }
  }
  floors.push(await floor(context))
}

const wantedRows = rows.filter(({ id }) => context.wanted(id))
const table = outcomes(wantedRows, measured.get(ours!)!, measured.get(containerd!)!)
const floorTable = outcomes(floorRows, floors, [])
const missed = table.filter(({ met, row }) => met === false && row.unit !== 'MB').map(({ row }) => row)
const parts = options.parts
  ? await partsOf(missed, groups, [ours!, containerd!], { ...context, directory })
  : []
const document = markdown(machine, table, floorTable, parts)
const json = JSON.stringify({ machine, rounds, table, floor: floorTable, parts }, undefined, 2)
if (output === undefined) console.log(`${json}\n\n${document}`)
else {
  await writeFile(join(output, 'results.json'), `${json}\n`)
  await writeFile(join(output, 'RESULTS.md'), document)
  await writeFile(join(output, 'results.svg'), plot(table))
  console.log(document)
}

/** Whether a row is that of a name, or one of several whose names begin with it. */
function belongs(id: string, name: string): boolean {
  return id === name || id.startsWith(`${name}-`)
}

/**
 * Runs our programs on a Node of their own: this process would share the pages of its program with them, and so take
 * half of them off their proportional size. What is compiled for another version is made anew at the end.
 */
async function useNode(version: string | undefined): Promise<void> {
  const node = version === undefined ? process.execPath : join(await fetchNode(version), 'node')
  const bin = join(directory, 'bin')
  await mkdir(bin)
  await copyFile(node, join(bin, 'node'))
  process.env.PATH = [bin, process.env.PATH].join(delimiter)
  if (version === undefined) return
  const makeCodeCache = async (program: string) => {
    const script = join(import.meta.dirname, '../scripts/code-cache/make.ts')
    await runOrThrow(program, ['--conditions=@nsbox/source', '--import', 'tsx', script])
  }
  resources.defer(() => makeCodeCache(process.execPath))
  await makeCodeCache(node)
}
