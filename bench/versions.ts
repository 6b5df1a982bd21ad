// Runs containers with several servers that are up at the same time, in turns, and prints what each gains over the
// first. See README.md.
import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connect } from '@nsbox/client'
import { busyboxArchive, runOrThrow, startProcess, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { ContainerLoad } from './container-load.ts'
import { daemonGroup } from './daemon-group.ts'
import { gains } from './gains.ts'
import { quiet } from './quiet-machine.ts'
import { stockCtr } from './subjects.ts'

const { values: options } = parseArgs({
  options: {
    subject: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '100' },
    cold: { type: 'string', default: '20' },
    pause: { type: 'string', default: '100' },
    own: { type: 'boolean', default: false },
    busy: { type: 'boolean', default: false },
  },
})
const count = (name: 'rounds' | 'cold' | 'pause') => {
  const value = Number(options[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name}: no number: ${options[name]}`)
  return value
}
const [rounds, cold, pause] = [count('rounds'), count('cold'), count('pause')]

const ctrOf = (address: string) => ['--address', address, '--namespace', 'bench']
let runs = 0

/** A version of the server. */
interface Subject {
  readonly name: string
  readonly program: string
  readonly env: Readonly<Record<string, string>>
}

const packages = join(import.meta.dirname, '../packages')
const ownCtr = join(packages, 'ctr/bin/ctr.mjs')
const subjects = options.subject.map(readSubject)
if (subjects.length < 2) throw new Error('--subject: at least two are needed')

/** From `NAME [PROGRAM] [VARIABLE=VALUE]…`. */
function readSubject(text: string): Subject {
  const [name = '', ...words] = text.split(' ').filter((word) => word !== '')
  const program = words.find((word) => word.startsWith('/')) ?? join(packages, 'server/bin/nsbox-server.mjs')
  const variables = words.filter((word) => !word.startsWith('/')).map((word) => word.split(/=(.*)/s, 2))
  return { name, program, env: Object.fromEntries(variables) }
}

let stopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (stopped = true))

await using directory = await tempDir('nsbox-bench')
// Where `/run` usually is.
const states = await mkdtemp('/dev/shm/nsbox-bench-')
process.once('exit', () => rmSync(states, { recursive: true, force: true }))
const archive = await busyboxArchive(directory.path)
if (!options.busy) await quiet()
const measured = new Map<string, Map<string, number[]>>()
if (rounds > 0) await measureWarm()
for (let round = 0; round < cold && !stopped; round++)
  for (const subject of inTurn(round, subjects)) await measureCold(subject)
console.log(gains(measured, subjects[0]!.name))

/** All of them, another one first each time. */
function inTurn<T>(round: number, all: readonly T[]): T[] {
  const turn = round % all.length
  return [...all.slice(turn), ...all.slice(0, turn)]
}

async function time(what: string, subject: string, body: () => Promise<unknown>): Promise<void> {
  await sleep(pause)
  const start = performance.now()
  await body()
  const values = measured.get(what) ?? new Map<string, number[]>()
  measured.set(what, values)
  values.set(subject, [...(values.get(subject) ?? []), performance.now() - start])
}

/** Starts a server, whose helpers end with it. */
async function started({ name, program, env }: Subject) {
  await using starting = new AsyncDisposableStack()
  const group = starting.use(await daemonGroup(`nsbox-bench-${process.pid}-${name}`))
  const state = join(states, name)
  await mkdir(state, { recursive: true })
  starting.defer(() => rm(state, { recursive: true, force: true }))
  const address = join(state, 'nsbox.sock')
  const places = ['--root', join(directory.path, name), '--state', state, '--address', address]
  const { command, args } = group.inside({ command: program, args: places })
  starting.use(await startProcess(command, args, { ready: /serving/, env }))
  const stack = starting.move()
  return { address, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

async function runContainer(program: string, address: string): Promise<void> {
  runs += 1
  await runOrThrow(program, [...ctrOf(address), 'run', '--rm', archive.name, `run-${runs}`, 'true'])
}

async function measureWarm(): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const ready: { name: string; address: string; load: ContainerLoad }[] = []
  for (const subject of subjects) {
    const { address } = stack.use(await started(subject))
    const client = stack.use(await connect({ address, namespace: 'bench' }))
    await runOrThrow(stockCtr, [...ctrOf(address), 'images', 'import', archive.path])
    const load = await ContainerLoad.create(client, archive.name)
    await load.idle('idle')
    stack.defer(() => load.end())
    for (let index = 0; index < 5; index++) await load.cycle(`warm-${index}`)
    ready.push({ name: subject.name, address, load })
  }
  for (let round = 0; round < rounds && !stopped; round++) {
    const all = inTurn(round, ready)
    for (const { name, address } of all)
      await time('ctr run --rm of containerd', name, () => runContainer(stockCtr, address))
    for (const { name, address } of options.own ? all : [])
      await time('ctr run --rm of nsbox', name, () => runContainer(ownCtr, address))
    for (const { name, load } of all)
      await time('create, start, wait, delete by RPC', name, () => load.cycle(`cycle-${round}`))
    for (const { name, load } of all)
      await time('exec by RPC', name, () => load.exec('idle', `exec-${round}`))
  }
}

/** The first container of a server that has just started. */
async function measureCold(subject: Subject): Promise<void> {
  await using server = await started(subject)
  const { address } = server
  await runOrThrow(stockCtr, [...ctrOf(address), 'images', 'import', archive.path])
  await time('first ctr run --rm of containerd', subject.name, () => runContainer(stockCtr, address))
}
