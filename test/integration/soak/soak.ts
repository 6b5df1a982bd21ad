import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from '@nsbox/client'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  type LeakWatch,
  pushImage,
  randomLayer,
  removeCgroup,
  startRegistry,
  tempDir,
  watchLeaks,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { ofProvedRunc, startServer, type TestServer } from '../programs.ts'
import { Account } from './consequences.ts'
import { type Footprint, measure } from './footprint.ts'
import { Inhabitant } from './inhabitant.ts'
import { Kills, type Victim } from './kills.ts'
import { Random } from './random.ts'

/** How to soak. */
export interface SoakOptions {
  /** The same seed makes the same choices; how calls of several namespaces and kills meet is up to the machine. */
  readonly seed: string
  /** Names of namespaces, for this soak alone, since they name cgroups. */
  readonly namespaces: readonly string[]
  /** Operations of each namespace in each phase. */
  readonly operations: number
  /** Kills in each phase that has them: in turns of the server, the supervisor and both. */
  readonly kills: number
  /** Whether there is another phase, with kills or steady, after this many of the kind. */
  readonly more: (kind: PhaseKind, done: number) => boolean
  /** Ends the soak in order: nothing more is begun, and all is removed. */
  readonly signal?: AbortSignal | undefined
  /** Told of each phase when it has ended. */
  readonly onPhase?: ((phase: Phase) => void) | undefined
}

/** In steady phases nothing is killed, and one server and one supervisor serve in all of them. */
export type PhaseKind = 'kills' | 'steady'

/** What there was at the end of a phase, when all had been removed. */
export interface Phase {
  readonly kind: PhaseKind
  readonly seconds: number
  readonly operations: number
  readonly footprint: Footprint
  /** What was there and had been neither at the beginning nor at the end of an earlier phase, as lines. */
  readonly leaks: readonly string[]
}

/** What came of a soak. */
export interface SoakReport {
  readonly seed: string
  /** Of the server before its first call. */
  readonly beginning: Footprint
  readonly phases: readonly Phase[]
  readonly operations: Account['operations']
  readonly kills: Kills['counts']
  readonly consequences: Account['consequences']
  readonly faults: Account['faults']
}

/**
 * One descriptor of a database, which SQLite keeps for the next thread that opens it: closing it would drop the locks
 * of the process.
 */
const keptBySqlite = /^descriptor of server: .*\/metadata\.db$/

/** Lines of a server's log that depend on the host. */
const usualComplaints = ['"event loop held"', 'closed known escapes']

/** Lets clients in several namespaces use a server at random, kills parts of it, and looks what stays. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { seed, namespaces, more, onPhase, signal } = options
  await using resources = new AsyncDisposableStack()
  const directory = resources.use(await tempDir('nsbox-soak')).path
  const [fifoDirectory, forkDirectory] = [join(directory, 'fifo'), join(directory, 'forks')]
  await mkdir(fifoDirectory)
  await mkdir(forkDirectory)
  const registry = resources.use(await startRegistry())
  const references = await pushImages(directory, registry)
  for (const namespace of namespaces) resources.defer(() => removeCgroup(namespace))
  const server = resources.use(await startServer())
  const kills = new Kills(server)
  const account = new Account()
  const random = new Random(seed)
  const inhabitants = namespaces.map((namespace) => {
    const client = resources.use(connect({ address: server.address, namespace }))
    const own = new Random(`${seed} ${namespace}`)
    const shared = { kills, account, references, fifoDirectory, forkDirectory }
    return resources.use(new Inhabitant({ ...shared, client, random: own }))
  })
  const watch = (withProcesses: boolean) =>
    watchLeaks({
      directories: [server.root, server.state, fifoDirectory, forkDirectory],
      lasting: ofProvedRunc,
      anyName: /(?<=\/tasks\/supervisor\/)[0-9a-f]{8}/,
      processes: async () => (withProcesses ? await processesOf(server) : {}),
      cgroups: namespaces,
    })

  const beginning = await measure(server)
  // What is made once and kept is there from now on.
  await live(inhabitants, { count: 3 })
  const host = await watch(false)
  const { rows } = await measure(server)
  const phases: Phase[] = []
  const told = new Set<string>()
  let programs: LeakWatch | undefined
  let turn = 0
  for (const kind of ['kills', 'steady'] as const) {
    for (let done = 0; !signal?.aborted && more(kind, done); done++) {
      const [start, time] = [performance.now(), new Date().toISOString()]
      const count = options.operations
      const strikes = kind === 'steady' ? [] : times(options.kills, () => victims[turn++ % victims.length]!)
      await live(inhabitants, { count, strikes, kills, random, signal })
      const seconds = (performance.now() - start) / 1000
      const footprint = await measure(server)
      const found = [
        ...(await host.leaks()),
        ...((await programs?.leaks()) ?? []).filter((line) => !keptBySqlite.test(line)),
        ...moreRows(rows, footprint.rows),
        ...(kind === 'steady' ? complaints(server, time) : []),
      ]
      const leaks = found.filter((line) => !told.has(line))
      for (const line of leaks) told.add(line)
      const operations = count * inhabitants.length
      phases.push({ kind, seconds, operations, footprint, leaks })
      onPhase?.(phases.at(-1)!)
      // From the first steady phase on they stay the same.
      if (kind === 'steady') programs ??= await watch(true)
    }
  }
  const { operations, consequences, faults } = account
  return { seed, beginning, phases, operations, kills: kills.counts, consequences, faults }
}

const victims: readonly Victim[] = ['server', 'supervisor', 'both']

/** What happens in a phase. */
interface Life {
  /** Operations of each. */
  readonly count: number
  readonly strikes?: readonly Victim[]
  readonly kills?: Kills
  readonly random?: Random
  readonly signal?: AbortSignal | undefined
}

/** Lets all act at the same time, and then leave. Each kill comes a moment after an operation has begun. */
async function live(
  inhabitants: readonly Inhabitant[],
  { count, strikes = [], kills, random, signal }: Life,
): Promise<void> {
  const total = count * inhabitants.length
  const due = new Map<number, Victim[]>()
  for (const [index, victim] of strikes.entries()) {
    // One in each part of the phase, so that there is life between them.
    const part = Math.floor(total / strikes.length)
    const at = index * part + random!.below(part)
    due.set(at, [...(due.get(at) ?? []), victim])
  }
  const striking: Promise<void>[] = []
  let begun = 0
  const live = async (inhabitant: Inhabitant) => {
    for (let n = 0; n < count && !signal?.aborted; n++) {
      for (const victim of due.get(begun++) ?? []) {
        const pause = random!.below(400)
        striking.push(delay(pause).then(() => kills!.strike(victim)))
      }
      await inhabitant.act()
    }
  }
  await Promise.all(inhabitants.map(live))
  await Promise.all(striking)
  await Promise.all(inhabitants.map((inhabitant) => inhabitant.leave()))
}

/** Images that share a layer, and have one of their own. */
async function pushImages(
  directory: string,
  registry: Awaited<ReturnType<typeof startRegistry>>,
): Promise<string[]> {
  const busybox = await busyboxLayer()
  const own = [
    filesLayer({ 'etc/soak': 'small\n' }),
    filesLayer(Object.fromEntries(times(300, (n) => [`usr/share/${n % 10}/${n}`, `${n}\n`.repeat(50)]))),
    randomLayer('soak', 4 << 20),
  ]
  const references: string[] = []
  for (const [index, layer] of own.entries()) {
    const image = await buildImage(join(directory, `image-${index}`), { layers: [busybox, layer] })
    references.push((await pushImage(image, registry, `soak/image-${index}:1`)).reference)
  }
  return references
}

async function processesOf(server: TestServer): Promise<Record<string, number>> {
  const supervisors = (await server.supervisors()).map((pid, n) => [`supervisor ${n + 1}`, pid] as const)
  return { server: server.process.pid, ...Object.fromEntries(supervisors) }
}

function moreRows(before: Footprint['rows'], after: Footprint['rows']): string[] {
  return Object.entries(after).flatMap(([table, count]) => {
    const added = count - (before[table] ?? 0)
    return added > 0 ? [`${added} × row of ${table}`] : []
  })
}

/** What a server warns of. @param since a time as its log has it */
function complaints(server: TestServer, since: string): string[] {
  const lines = server.process.output.split('\n').filter((line) => {
    const time = /"level":[456]0,"time":"([^"]*)"/.exec(line)?.[1]
    return time !== undefined && time >= since
  })
  return lines.filter((line) => !usualComplaints.some((text) => line.includes(text)))
}

function times<T>(count: number, make: (n: number) => T): T[] {
  return Array.from({ length: count }, (_, n) => make(n))
}
