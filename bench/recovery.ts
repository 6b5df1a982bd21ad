// Kills a daemon that has containers, with and without load, and times until it serves again. See README.md.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Client, connect } from '@nsbox/client'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  pushImage,
  runOrThrow,
  startProcess,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { ContainerLoad } from './container-load.ts'
import { type Figure, figures } from './figures.ts'
import { diskImage, freshDisk } from './fresh-disk.ts'
import { quiet } from './quiet-machine.ts'
import { type Subject, stockCtr, subjects } from './subjects.ts'

const { values: options } = parseArgs({
  options: {
    kills: { type: 'string', default: '10' },
    containers: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
    busy: { type: 'boolean', default: false },
  },
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
/** What each of the processes that are the load does over and over, whether the daemon is there or not. */
const pull = '"$@" images pull --plain-http "$image"; "$@" images rm "$image"'
const exec = '"$@" tasks exec --exec-id "$$-$n" "$id" true'
const lines = [pull, pull, exec, exec]

await using directory = await tempDir('nsbox-bench')
process.once('exit', () => rmSync(directory.path, { recursive: true, force: true, maxRetries: 3 }))
await using registry = await startRegistry()
const files = Object.fromEntries(Array.from({ length: 2000 }, (_, n) => [`usr/${n % 40}/${n}`, `${n}`]))
const layers = [await busyboxLayer(), filesLayer(files)]
const built = await buildImage(join(directory.path, 'layout'), { layers })
const { reference: image } = await pushImage(built, registry, 'bench/recovery:1')
const disks = await diskImage(directory.path)
const measured: Figure[] = []
if (!options.busy) await quiet()
for (const name of ['containerd, ctr', 'nsbox, dist'].filter((each) => each.includes(options.only)))
  measured.push(...(await measure(subjects.plain.find((each) => each.name === name)!)))
console.log(figures(measured, measured[0]!.subject))

/** Resolves when a call is answered. */
async function served({ version }: Pick<Client, 'version'>): Promise<void> {
  for (;;) {
    const answered = await version({ signal: AbortSignal.timeout(60_000) }).then(
      () => true,
      () => false,
    )
    if (answered) return
    await sleep(5)
  }
}

async function measure({ name, daemon }: Subject): Promise<Figure[]> {
  await using disk = await freshDisk(disks)
  const { command, args, ready, address, env } = await daemon(disk.path)
  const launch = () => startProcess(command, args, { ready, readyTimeout: 90_000, ...(env && { env }) })
  let running = await launch()
  await using stack = new AsyncDisposableStack()
  stack.defer(async () => void (await running.stop()))
  const client = stack.use(connect({ address, namespace: 'bench', connectTimeout: 1000 }))
  const ctr = [stockCtr, '--address', address, '--namespace', 'bench']
  await runOrThrow(ctr[0]!, [...ctr.slice(1), 'images', 'pull', '--plain-http', image])
  const load = await ContainerLoad.create(client, image)
  await load.concurrent(Number(options.containers), 4, (id) => load.idle(id))

  const result: Figure[] = []
  for (const what of ['without load', 'with load']) {
    await using workers = new AsyncDisposableStack()
    for (const [worker, line] of what === 'without load' ? [] : lines.entries()) {
      const script = `image=$1 id=load-$2 n=0; shift 2; while :; do n=$((n+1)); ${line}; done >/dev/null 2>&1`
      workers.use(await startProcess('/bin/sh', ['-c', script, 'sh', image, `${worker + 1}`, ...ctr]))
    }
    const values: number[] = []
    for (let kill = 0; kill < Number(options.kills); kill++) {
      await sleep(3000 + Math.random() * 1000)
      const start = performance.now()
      running.kill('SIGKILL')
      await running.exited
      const [next] = await Promise.all([launch(), served(client)])
      running = next
      values.push(performance.now() - start)
    }
    result.push({ what: `kill -9 to the first answer ${what}, ms`, subject: name.split(',')[0]!, values })
    console.error(JSON.stringify(result.at(-1)))
  }
  await load.end()
  return result
}
