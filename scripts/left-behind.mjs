import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * @typedef {object} Run a run of tests, beside which others may run on the same host
 * @property {string} temporary its directory of temporary files, as `TMPDIR` in the environment of what it starts
 * @property {readonly string[]} cgroups those that were there before
 */

/**
 * What tests have left: processes, by their command lines, and cgroups with "nsbox" in their paths.
 *
 * @param {Run} run
 * @param {number} [patience] milliseconds for both to end by themselves, as a supervisor does ten seconds after its
 *   last client has left
 * @returns {Promise<string[]>}
 */
export async function leftBehind(run, patience = 30_000) {
  const begin = performance.now()
  let left = await look(run)
  while (left.size > 0 && performance.now() - begin < patience) {
    await delay(200)
    const still = await look(run)
    // Other runs may make more meanwhile.
    left = new Map([...still].filter(([key]) => left.has(key)))
  }
  return [...left.values()]
}

/**
 * The paths of all cgroups with "nsbox" in them.
 *
 * @param {string} directory
 * @returns {Promise<string[]>}
 */
export async function nsboxCgroups(directory = '/sys/fs/cgroup') {
  const entries = (await unlessGone(readdir(directory, { withFileTypes: true }))) ?? []
  const paths = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name))
  const inside = (await Promise.all(paths.map(nsboxCgroups))).flat()
  return [...paths.filter((path) => path.includes('nsbox')), ...inside]
}

/** @param {Run} run @returns {Promise<Map<string, string>>} lines by what they are about */
async function look({ temporary, cgroups: before }) {
  const processes = await allProcesses()
  /** @type {(pid: number) => boolean} */
  const isOurs = (pid) => {
    const process = processes.get(pid)
    return process !== undefined && (process.told.includes(temporary) || isOurs(process.parent))
  }
  /** @type {(pid: number) => boolean} whether a process of another run has it */
  const isOthers = (pid) => (processes.get(pid)?.parent ?? 1) !== 1 && !isOurs(pid)
  const running = [...processes].flatMap(([pid, { told, command }]) =>
    told.includes(temporary) ? [/** @type {const} */ ([`process ${pid}`, `process ${pid}: ${command}`])] : [],
  )
  const left = (await nsboxCgroups()).filter((path) => !before.includes(path))
  const described = await Promise.all(
    left.map(async (path) => {
      const pids = await pidsBelow(path)
      if (pids.some(isOthers)) return []
      const inside = pids.map((pid) => `, with process ${pid}: ${processes.get(pid)?.command}`)
      return [/** @type {const} */ ([path, `cgroup ${path}${inside.join('')}`])]
    }),
  )
  return new Map([...running, ...described.flat()])
}

/** @returns {Promise<Map<number, { parent: number, command: string, told: string }>>} all but this one */
async function allProcesses() {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const text = (/** @type {string} */ name) => unlessGone(readFile(`/proc/${pid}/${name}`, 'utf8'))
      const [stat, line, environment] = [await text('stat'), await text('cmdline'), await text('environ')]
      const [, name, state, parent] = /\((.*)\) (.) (\d+)/s.exec(stat ?? '') ?? []
      // A zombie waits for its parent, which counts itself.
      if (state === undefined || state === 'Z') return []
      const command = (line ?? '').replaceAll('\0', ' ').trim() || `(${name})`
      const told = `${line}\0${environment}`
      return [/** @type {const} */ ([Number(pid), { parent: Number(parent), command, told }])]
    }),
  )
  return new Map(found.flat())
}

/** @param {string} path @returns {Promise<number[]>} of a cgroup and those in it */
async function pidsBelow(path) {
  const own = (await unlessGone(readFile(join(path, 'cgroup.procs'), 'utf8'))) ?? ''
  const entries = (await unlessGone(readdir(path, { withFileTypes: true }))) ?? []
  const inside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => pidsBelow(join(path, name)))
  return [...own.split('\n').map(Number).filter(Boolean), ...(await Promise.all(inside)).flat()]
}

/**
 * What is read may go at any time, and some of it is another user's.
 *
 * @template T
 * @param {Promise<T>} reading
 * @returns {Promise<T | undefined>}
 */
async function unlessGone(reading) {
  try {
    return await reading
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error)
    if (['ENOENT', 'ESRCH', 'ENODEV', 'EACCES', 'EPERM', 'EOPNOTSUPP', 'ENOTSUP'].includes(String(code)))
      return undefined
    throw error
  }
}
