// Measures what a client that does its worst costs another one, and the server. See README.md.

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect } from '@nsbox/client'
import { type RunningProcess, startProcess, tempDir } from '@nsbox/testing'
import { median } from './median.ts'
import { cpuTime } from './process-usage.ts'
import { quiet } from './quiet-machine.ts'

const names = ['processor', 'streams', 'reads', 'unfinished', 'resets', 'bodies', 'connections', 'all']
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    busy: { type: 'boolean', default: false },
  },
})
const seconds = Number(options.seconds)
if (!(Number.isSafeInteger(seconds) && seconds > 1))
  throw new Error(`--seconds: no number above 1: ${options.seconds}`)

const source = (file: string) => join(import.meta.dirname, 'worst-client', file)
const node = ['--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
const server = join(import.meta.dirname, '../packages/server/bin/nsbox-server.mjs')

/** How often the rate is taken alone and beside the attacker, in turns: what else happens falls on both. */
const rounds = 3

/** How long the client makes calls before its rate is taken, in milliseconds. */
const warmUp = 8000

if (!options.busy) await quiet()
console.log(
  '| attack | calls/s alone | beside it | ratio | longest call ms | its processor | daemon MB before | peak | 5 s after |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
for (const name of names.filter((each) => options.only === '' || options.only.split(',').includes(each)))
  await measure(name)

async function measure(name: string): Promise<void> {
  await using directory = await tempDir('nsbox-bench')
  const address = join(directory.path, 's.sock')
  const places = [
    '--root',
    join(directory.path, 'root'),
    '--state',
    join(directory.path, 'state'),
    '--address',
    address,
  ]
  await using daemon = await startProcess(process.execPath, [server, ...places], { ready: /serving/ })
  const digest = await fill(address)
  await using victim = await startProcess(process.execPath, [...node, source('calls.ts'), address], {
    ready: /answered/,
  })
  const rates = ratesOf(victim)
  // Programs run faster once their code is compiled, on both sides.
  await sleep(warmUp)
  const before = await residentMegabytes(daemon.pid)
  const alone: Rate[] = []
  const beside: Rate[] = []
  let peak = 0
  let processor = 0
  for (let round = 0; round < rounds; round++) {
    alone.push(await rates(seconds))
    await using attacker = await startProcess(process.execPath, [
      ...node,
      source('attacks.ts'),
      ...[address, name, digest],
    ])
    const timer = setInterval(async () => {
      peak = Math.max(peak, await residentMegabytes(daemon.pid))
    }, 50)
    try {
      beside.push(await rates(seconds))
    } finally {
      clearInterval(timer)
    }
    processor += (await cpuTime(attacker.pid)) / (1000 * (seconds + 1) * rounds)
  }
  await victim[Symbol.asyncDispose]()
  await sleep(5000)
  const after = await residentMegabytes(daemon.pid)
  const rateOf = (taken: readonly Rate[]) => median(taken.flatMap(({ answered }) => answered))
  const cells = [
    name,
    rateOf(alone),
    rateOf(beside),
    (rateOf(beside) / rateOf(alone)).toFixed(2),
    Math.max(...beside.map(({ longest }) => longest)),
    processor.toFixed(2),
    before,
    peak,
    after,
  ]
  console.log(`| ${cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(0) : cell)).join(' | ')} |`)
  console.error(JSON.stringify({ name, daemonCpu: await cpuTime(daemon.pid) }))
}

/** Puts something into a server that can be asked for. @returns the digest of a blob */
async function fill(address: string): Promise<string> {
  await using client = await connect({ address, namespace: 'bench' })
  for (let index = 1; index <= 30; index++) {
    await client.containers.create({
      id: `container-${index}`,
      runtime: { name: 'io.containerd.runc.v2' },
      spec: { typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec', value: Buffer.from('{}') },
    })
  }
  const bytes = Buffer.alloc(8 << 20, 1)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as const
  await using writer = await client.content.writer({ ref: 'blob' })
  await writer.write(bytes)
  // The collector leaves it for as long as this takes.
  await writer.commit({ expected: digest, labels: { 'containerd.io/gc.root': 'bench' } })
  return digest
}

interface Rate {
  /** Calls in each second. */
  readonly answered: readonly number[]
  /** The longest call, in milliseconds. */
  readonly longest: number
}

/** Takes the rate of a client's calls over some seconds, each time it is called. */
function ratesOf(victim: RunningProcess) {
  const lines = () => victim.output.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'))
  return async (duration: number): Promise<Rate> => {
    const from = lines().length + 1
    await sleep((duration + 1) * 1000)
    const said = lines()
      .slice(from)
      .map((line) => JSON.parse(line) as { answered: number; longest: number })
    if (said.length === 0) throw new Error(`the client says nothing: ${victim.output}`)
    return {
      answered: said.map(({ answered }) => answered),
      longest: Math.max(...said.map(({ longest }) => longest)),
    }
  }
}

/** How much memory a process has resident, in megabytes. */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1000
}
