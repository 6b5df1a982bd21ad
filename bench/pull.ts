// Pulls images with containerd and with nsbox, in turns, and prints medians and ratios. See README.md.
import { rmSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { run, runOrThrow, startProcess, tempDir } from '@nsbox/testing'
import { diskImage, freshDisk } from './fresh-disk.ts'
import { cpuTime, peakMemory } from './process-usage.ts'
import { quiet, warmMemory } from './quiet-machine.ts'
import { type Measurement, report } from './report.ts'
import { type Subject, subjects } from './subjects.ts'

const { values: options } = parseArgs({
  options: {
    registry: { type: 'string', default: '127.0.0.1:5001' },
    images: { type: 'string', default: 'debian,multi,many,zstd' },
    rounds: { type: 'string', default: '5' },
    igzip: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
})
const images = options.images.split(',')
const rounds = Number(options.rounds)
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds: no number: ${options.rounds}`)
const chosen = subjects[options.igzip ? 'igzip' : 'plain'].filter(({ name }) => name.includes(options.only))

// Exit handlers end what runs and unmount the disk.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

await using directory = await tempDir('nsbox-bench')
process.once('exit', () => rmSync(directory.path, { recursive: true, force: true, maxRetries: 3 }))
const disks = await diskImage(directory.path)
const measurements: Measurement[] = []
await quiet()
for (let round = 1; round <= rounds; round++) {
  for (const image of images) {
    // Each subject is first, second and so on as often as the others.
    const turn = round % chosen.length
    for (const subject of [...chosen.slice(turn), ...chosen.slice(0, turn)]) {
      const measurement = await measure(subject, image)
      measurements.push(measurement)
      console.error(JSON.stringify(measurement))
    }
  }
}
const order = (subject: string) => chosen.findIndex(({ name }) => name === subject)
measurements.sort((a, b) => order(a.subject) - order(b.subject))
console.log(report(measurements))

async function measure(subject: Subject, image: string): Promise<Measurement> {
  await using disk = await freshDisk(disks)
  await warmMemory()
  const { address, command, args, ready, env } = await subject.daemon(disk.path)
  await using daemon = await startProcess(command, args, { ready, ...(env && { env }) })
  await runOrThrow('sync', [])
  const pull = subject.pull(address, `${options.registry}/bench/${image}:1`)
  const before = { daemon: await cpuTime(daemon.pid), client: await cpuTime('self') }
  const start = performance.now()
  const { code, stderr } = await run(pull.command, pull.args, { timeout: 300_000 })
  const wall = performance.now() - start
  if (code !== 0) throw new Error(`${subject.name}: ${image}: ${stderr}`)
  const clientCpu = (await cpuTime('self')) - before.client
  const daemonCpu = (await cpuTime(daemon.pid)) - before.daemon
  return {
    image,
    subject: subject.name,
    wall,
    daemonCpu,
    clientCpu,
    daemonPeak: await peakMemory(daemon.pid),
  }
}
