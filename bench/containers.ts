// Runs containers with containerd and with nsbox, in turns, and prints medians and ratios. See README.md.
import { rmSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Client, connect } from '@nsbox/client'
import { run, runOrThrow, startProcess, tempDir } from '@nsbox/testing'
import { ContainerLoad } from './container-load.ts'
import { daemonGroup } from './daemon-group.ts'
import { type Figure, figures } from './figures.ts'
import { diskImage, freshDisk } from './fresh-disk.ts'
import { quiet, warmMemory } from './quiet-machine.ts'
import { type Subject, stockCtr, subjects } from './subjects.ts'

const { values: options } = parseArgs({
  options: {
    registry: { type: 'string', default: '127.0.0.1:5001' },
    rounds: { type: 'string', default: '3' },
    idle: { type: 'string', default: '50' },
    only: { type: 'string', default: '' },
  },
})
const rounds = Number(options.rounds)
const idle = Number(options.idle)
if (!(Number.isSafeInteger(rounds) && rounds > 0)) throw new Error(`--rounds: no number: ${options.rounds}`)
if (!(Number.isSafeInteger(idle) && idle > 1)) throw new Error(`--idle: no number above 1: ${options.idle}`)
const image = `${options.registry}/bench/busybox:1`
const chosen = subjects.plain
  .filter(({ name }) => name === 'containerd, ctr' || name === 'nsbox, dist')
  .filter(({ name }) => name.includes(options.only))

// Exit handlers end what runs and unmount the disk.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

await using directory = await tempDir('nsbox-bench')
process.once('exit', () => rmSync(directory.path, { recursive: true, force: true, maxRetries: 3 }))
const disks = await diskImage(directory.path)
const measured: Figure[] = []
await quiet()
for (let round = 1; round <= rounds; round++) {
  const turn = round % chosen.length
  for (const subject of [...chosen.slice(turn), ...chosen.slice(0, turn)])
    measured.push(...(await measure(subject)))
}
console.log(figures(measured, chosen[0]!.name.split(',')[0]!))

async function measure(subject: Subject): Promise<Figure[]> {
  const name = subject.name.split(',')[0]!
  const result: Figure[] = []
  const add = (what: string, values: readonly number[]) => {
    result.push({ what, subject: name, values })
    console.error(JSON.stringify(result.at(-1)))
  }
  await using disk = await freshDisk(disks)
  await warmMemory()
  const { ready, address, ...command } = await subject.daemon(disk.path)
  await using group = await daemonGroup(`nsbox-bench-${process.pid}`)
  const { command: program, args, env } = group.inside(command)
  await using _daemon = await startProcess(program, args, { ready, ...(env && { env }) })
  await using client: Client = await connect({ address, namespace: 'bench' })
  const ctr = ['--address', address, '--namespace', 'bench']
  await runOrThrow(stockCtr, [...ctr, 'images', 'pull', '--plain-http', image], { timeout: 60_000 })

  const runs: number[] = []
  for (let index = 0; index < 20; index++) {
    const start = performance.now()
    const { code, stderr } = await run(stockCtr, [...ctr, 'run', '--rm', image, `run-${index}`, 'true'])
    runs.push(performance.now() - start)
    if (code !== 0) throw new Error(`${name}: ctr run: ${stderr}`)
  }
  add('ctr run --rm true, ms', runs)

  const load = await ContainerLoad.create(client, image)
  for (let index = 0; index < 5; index++) await load.cycle(`warm-${index}`)
  const before = await group.cpuTime()
  add('create, start, wait, delete by RPC, ms', await load.sequential(40, (id) => load.cycle(id)))
  add('CPU of one such cycle, ms', [((await group.cpuTime()) - before) / 40])
  const start = performance.now()
  await load.concurrent(80, 8, (id) => load.cycle(id))
  add('such cycles in a second, eight at a time', [80_000 / (performance.now() - start)])

  await load.idle('idle-0')
  add('exec by RPC, ms', await load.sequential(40, (id) => load.exec('idle-0', id)))
  await sleep(2000)
  const one = await group.memory()
  await load.concurrent(idle - 1, 4, (id) => load.idle(id))
  await sleep(2000)
  const all = await group.memory()
  add(`memory with ${idle} idle containers, kB PSS`, [all.pss])
  add('memory of one more idle container, kB PSS', [(all.pss - one.pss) / (idle - 1)])
  add(`processes with ${idle} idle containers`, [all.processes])
  await load.end()
  return result
}
