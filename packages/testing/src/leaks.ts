import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cgroupPaths } from './cgroups.ts'

/** Where to look for remains of containers. */
export interface LeakScope {
  /** Files and mounts in them count, at any depth. Nothing below a mount does. */
  readonly directories: readonly string[]
  /** Descriptors and children of these processes count: pids by a description, asked for at each look. */
  readonly processes: () => Promise<Readonly<Record<string, number>>>
  /** Names of cgroups at the root of any hierarchy; cgroups in them count, with their processes. */
  readonly cgroups?: readonly string[] | undefined
  /** Names that may differ each time, such as random ones; none by default. */
  readonly anyName?: RegExp | undefined
  /** Lines that may be added and stay; none by default. */
  readonly lasting?: RegExp | undefined
}

/** The state of the host at one moment. */
export interface LeakWatch {
  /**
   * What has been added since, as lines. Processes and descriptors are described without their numbers, so that one may
   * take the place of another.
   *
   * @param within milliseconds for everything to vanish; 10,000 by default
   */
  leaks(within?: number): Promise<string[]>
}

/** Records processes, zombies, mounts, FIFOs and other files, descriptors and cgroups, for a later comparison. */
export async function watchLeaks(scope: LeakScope): Promise<LeakWatch> {
  const before = await look(scope)
  return {
    async leaks(within = 10_000) {
      for (const deadline = Date.now() + within; ; await delay(50)) {
        const added = difference(await look(scope), before)
        if (added.length === 0 || Date.now() > deadline) return added
      }
    },
  }
}

type Findings = ReadonlyMap<string, number>

function difference(after: Findings, before: Findings): string[] {
  return [...after].flatMap(([line, count]) => {
    const added = count - (before.get(line) ?? 0)
    return added > 0 ? [added === 1 ? line : `${added} × ${line}`] : []
  })
}

async function look({
  directories,
  processes,
  cgroups = [],
  anyName,
  lasting,
}: LeakScope): Promise<Findings> {
  const named = Object.entries(await processes())
  const lines = [
    ...(await Promise.all(directories.map((directory) => files(directory)))).flat(),
    ...(await mounts(directories)),
    ...(await Promise.all(named.map(([name, pid]) => descriptors(name, pid)))).flat(),
    ...(await children(named)),
    ...(await Promise.all(cgroups.map((name) => cgroupsIn(name)))).flat(),
  ]
  const found = new Map<string, number>()
  for (const full of lines) {
    if (lasting?.test(full)) continue
    const line = anyName === undefined ? full : full.replace(anyName, '*')
    found.set(line, (found.get(line) ?? 0) + 1)
  }
  return found
}

/** Anything read here may vanish at any time. */
async function unlessGone<T>(reading: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENODEV') return otherwise
    throw error
  }
}

async function files(path: string, device?: number): Promise<string[]> {
  const stats = await unlessGone(lstat(path), undefined)
  if (stats === undefined || (device !== undefined && stats.dev !== device)) return []
  if (!stats.isDirectory()) return [`${stats.isFIFO() ? 'FIFO' : 'file'} ${path}`]
  const names = await unlessGone(readdir(path), [])
  const inside = await Promise.all(names.map((name) => files(join(path, name), stats.dev)))
  return [`directory ${path}`, ...inside.flat()]
}

async function mounts(directories: readonly string[]): Promise<string[]> {
  const points = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4])
  return points.flatMap((point) =>
    directories.some((directory) => point?.startsWith(`${directory}/`)) ? [`mount ${point}`] : [],
  )
}

async function descriptors(name: string, pid: number): Promise<string[]> {
  const directory = `/proc/${pid}/fd`
  const numbers = await unlessGone(readdir(directory), [])
  const targets = await Promise.all(
    numbers.map((number) => unlessGone(readlink(join(directory, number)), undefined)),
  )
  return targets.flatMap((target) =>
    target === undefined ? [] : [`descriptor of ${name}: ${target.replace(/\[\d+\]|\/pts\/\d+/, '')}`],
  )
}

/** All descendants, including zombies. */
async function children(named: readonly (readonly [string, number])[]): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = new Map<number, { parent: number; state: string; command: string }>()
  for (const pid of pids) {
    const stat = await unlessGone(readFile(`/proc/${pid}/stat`, 'utf8'), '')
    const [, command, state, parent] = /^\d+ \((.*)\) (.) (\d+)/s.exec(stat) ?? []
    if (command !== undefined) found.set(Number(pid), { parent: Number(parent), state: state!, command })
  }
  const names = new Map(named.map(([name, pid]) => [pid, name]))
  const ancestor = (pid: number): string | undefined => {
    const parent = found.get(pid)?.parent
    return parent === undefined ? undefined : (names.get(parent) ?? ancestor(parent))
  }
  return [...found].flatMap(([pid, { state, command }]) => {
    const name = names.has(pid) ? undefined : ancestor(pid)
    if (name === undefined) return []
    return [`${state === 'Z' ? 'zombie' : 'process'} below ${name}: ${command}`]
  })
}

async function cgroupsIn(name: string): Promise<string[]> {
  const groups = await unlessGone(cgroupPaths(name), [])
  return (await Promise.all(groups.map((path) => cgroupTree(path)))).flat()
}

async function cgroupTree(path: string): Promise<string[]> {
  const entries = await unlessGone(readdir(path, { withFileTypes: true }), [])
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name))
  const held = (await unlessGone(readFile(join(path, 'cgroup.procs'), 'utf8'), '')).split('\n')
  return [
    ...held.filter((pid) => pid !== '').map(() => `process in cgroup ${path}`),
    ...below.map((inside) => `cgroup ${inside}`),
    ...(await Promise.all(below.map((inside) => cgroupTree(inside)))).flat(),
  ]
}
