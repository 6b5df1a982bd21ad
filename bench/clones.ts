// Forks a container of a web service, and starts as many from the beginning. See README.md.
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Client, connect } from '@nsbox/client'
import { runOrThrow, startProcess, tempDir } from '@nsbox/testing'
import { daemonGroup } from './daemon-group.ts'
import { type Figure, figures } from './figures.ts'
import { diskImage, freshDisk } from './fresh-disk.ts'
import { quiet, warmMemory } from './quiet-machine.ts'
import { type Subject, stockCtr, subjects } from './subjects.ts'
import { WebContainers } from './web-containers.ts'
import { webImage } from './web-image.ts'

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    count: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
  },
})
const rounds = Number(options.rounds)
const count = Number(options.count)
if (!(Number.isSafeInteger(rounds) && rounds > 0)) throw new Error(`--rounds: no number: ${options.rounds}`)
if (!(Number.isSafeInteger(count) && count > 1))
  throw new Error(`--count: no number above 1: ${options.count}`)
const chosen = subjects.plain
  .filter(({ name }) => name === 'containerd, ctr' || name === 'nsbox, dist')
  .filter(({ name }) => name.includes(options.only))

// Exit handlers end what runs and unmount the disk.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

await using directory = await tempDir('nsbox-bench')
process.once('exit', () => rmSync(directory.path, { recursive: true, force: true, maxRetries: 3 }))
const disks = await diskImage(directory.path)
const image = await webImage(directory.path)
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
  await runOrThrow(stockCtr, [...ctr, 'images', 'import', image.path], { timeout: 60_000 })
  await using web = await WebContainers.create(client, image.name)
  await web.start('source')
  // A connection that is about to be closed could not be copied.
  await sleep(500)
  const memory = async (what: string) => {
    await sleep(2000)
    const { pss, rss } = await web.memory('source')
    add(`memory of ${count} ${what}, kB PSS`, [pss])
    add(`memory of ${count} ${what}, kB RSS`, [rss])
    add(`memory of the daemon beside ${count} ${what}, kB PSS`, [(await group.memory()).pss])
  }

  const cold: number[] = []
  for (let index = 0; index < count; index++) cold.push(await timed(() => web.start(`cold-${index}`)))
  add('one cold start until it answers, ms', cold)
  await memory('cold starts')
  await web.end('source')
  const starts = await timed(async () => {
    const ids = Array.from({ length: count }, (_, index) => `cold-${index}`)
    const work = async () => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) await web.start(id)
    }
    await Promise.all(Array.from({ length: 2 * availableParallelism() }, work))
  })
  add(`each of ${count} cold starts together until all answer, ms`, [starts / count])
  await web.end('source')

  await web.fork('source', 1, 'warm-')
  const single: number[] = []
  for (let index = 0; index < 7; index++)
    single.push(await timed(() => web.fork('source', 1, `single-${index}-`)))
  add('a fork of one copy until it answers, ms', single)
  await web.end('source')
  const forked = await timed(() => web.fork('source', count, 'copy-'))
  add(`each of ${count} copies of one fork until all answer, ms`, [forked / count])
  await memory('copies')
  return result
}

async function timed(body: () => Promise<void>): Promise<number> {
  const start = performance.now()
  await body()
  return performance.now() - start
}
