import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isNotFound, NsboxError } from '@nsbox/errors'
import type { Supervisor } from '@nsbox/supervisor'
import { findProgram } from '@nsbox/supervisor/programs'
import { removeTree } from '@nsbox/trees'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { endProcess, killProcess } from '../runc/end-process.ts'
import { Runc } from '../runc/runc.ts'
import type { Program } from './program.ts'
import { fifo, StateDirectory, stateFile } from './state-directory.ts'

/** The supervisor's key of the probe's process; keys of tasks have slashes. */
const key = 'probe'
/** Milliseconds that one step may take. */
const patience = 20_000
/** Directories of programs and their libraries; some may be missing, or links to others. */
const programDirectories = ['/bin', '/lib', '/lib64', '/usr', '/nix', '/gnu']

/** What a probe needs. */
export interface ProbeOptions {
  readonly supervisor: Supervisor
  /** A directory of its own, which does not exist between probes. */
  readonly directory: string
  readonly signal: AbortSignal
}

/** The result of probing a program. */
export interface Proof {
  /** Whether it makes no copy of itself if it was started from one (`LaunchRequest.fromMemory`). */
  readonly fromMemory: boolean
}

/**
 * Tries a program with two containers that sleep. The first has hooks, so that the program itself starts and removes
 * it; the second is started and removed by the shortcuts. Both must have the same result.
 *
 * @throws `failed_precondition` for a different result; as the program's commands
 */
export async function probe(program: Program, options: ProbeOptions): Promise<Proof> {
  const { directory } = options
  const runc = new Runc({ binary: program.path, root: join(directory, 'root') })
  await removeProbe(program, options)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => removeProbe(program, options))
  await live({ ...options, program, runc, shortcut: false })
  const { isCopy } = await live({ ...options, program, runc, shortcut: true })
  return { fromMemory: isCopy }
}

/** Removes what an interrupted probe has left. */
async function removeProbe(program: Program, { supervisor, directory }: ProbeOptions): Promise<void> {
  const root = join(directory, 'root')
  const runc = new Runc({ binary: program.path, root })
  for (const id of existsSync(root) ? readdirSync(root) : []) await runc.delete(id, { force: true })
  const process = supervisor.process(key)
  if (process !== undefined) await endProcess(process)
  await removeTree(directory)
}

/** The prefix of the names of a probe's containers, and so of their cgroups; it differs for each directory. */
export function probePrefix(directory: string): string {
  return `nsbox-probe-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}-`
}

interface Life extends ProbeOptions {
  readonly program: Program
  readonly runc: Runc
  /** Whether it is started and removed by the shortcuts. */
  readonly shortcut: boolean
}

/** Runs a container from creation to removal. @returns whether its first process was executed from a copy made here */
async function live(life: Life): Promise<{ readonly isCopy: boolean }> {
  const { program, runc, shortcut, supervisor, directory, signal } = life
  const id = `${probePrefix(directory)}${randomBytes(6).toString('hex')}`
  const cgroup = `/${id}`
  const bundle = join(directory, shortcut ? 'plain' : 'hooked')
  const hooks = [{ path: onHost('true') }]
  await writeBundle(bundle, { cgroup, hooks: shortcut ? {} : { poststart: hooks, poststop: hooks } })
  const root = runc.options.root!
  const place = join(root, id)
  const log = join(directory, 'log')
  const launched = await supervisor.launch(
    {
      ...{ key, stdin: '', stdout: '', stderr: '', terminal: false },
      command: (paths) => runc.createArguments(id, { bundle, log, ...paths }),
      ...{ fromMemory: shortcut, waits: true, timeout: patience },
      // A container that nobody starts waits for good.
      endsWithClient: { cgroup },
    },
    { signal },
  )
  const { pid } = launched
  const executable = () => readlink(`/proc/${pid}/exe`)

  const state = StateDirectory.read(root, id)
  must(state?.isOf(pid) === true, 'has a state of another form')
  must(hasOnly(place, [fifo, stateFile]), 'keeps other files')
  const cgroups = state.cgroups.filter(existsSync)
  must(cgroups.length > 0, 'makes no cgroup')
  const created = await runc.state(id)
  must(created.status === 'created' && created.pid === pid, 'does not show the created container')
  const before = await executable()
  must(await isSame(`/proc/${pid}/exe`, program.path), 'executes another program')
  const written = await readFile(join(place, stateFile))

  must((await state.start(patience)) === shortcut, shortcut ? 'does not start' : 'has no hooks in its state')
  if (!shortcut) await runc.start(id)
  await until(async () => (await executable()) !== before, 'does not execute its program', signal)
  must(hasOnly(place, [stateFile]), 'keeps other files after the start')
  must((await readFile(join(place, stateFile))).equals(written), 'changes its state at the start')
  const running = await runc.state(id)
  must(running.status === 'running' && running.pid === pid, 'does not show the running container')

  await killProcess(launched)
  // The cgroup may take a moment to be empty.
  if (shortcut) await until(() => state.remove(), 'has a container that cannot be removed', signal)
  else {
    must(!(await state.remove()), 'has no hooks in its state')
    await runc.delete(id)
  }
  must(readdirSync(root).length === 0, 'keeps state of a removed container')
  must(!cgroups.some(existsSync), 'leaves cgroups')
  // Not earlier: if this process dies, the supervisor removes the cgroup of what it holds.
  await launched.release()
  must((await runc.state(id).catch(isNotFound)) === true, 'still knows a removed container')
  // A copy that runc makes of itself has another name.
  return { isCopy: before === '/memfd:runc (deleted)' }
}

/** The bundle of a container that sleeps, with the host's programs and nothing else. */
async function writeBundle(
  bundle: string,
  { hooks, cgroup }: { readonly hooks: object; readonly cgroup: string },
): Promise<void> {
  await mkdir(join(bundle, 'rootfs'), { recursive: true, mode: 0o700 })
  const binds = programDirectories.filter(existsSync).map((path) => ({
    ...{ destination: path, source: path, type: 'bind', options: ['rbind', 'ro'] },
  }))
  const spec = {
    ociVersion: '1.0.2',
    process: {
      ...{
        args: [onHost('sleep'), '60'],
        cwd: '/',
        user: { uid: 0, gid: 0 },
        capabilities: {},
        noNewPrivileges: true,
      },
    },
    root: { path: 'rootfs', readonly: true },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, ...binds],
    hooks,
    linux: {
      cgroupsPath: cgroup,
      namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })),
    },
  }
  await writeFile(join(bundle, 'config.json'), JSON.stringify(spec))
}

const onHost = (name: string) => findProgram(name, { searchPath: process.env.PATH, from: '/' })

function must(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new NsboxError('failed_precondition', `the runtime ${otherwise}`)
}

/** Waits until a condition holds. */
async function until(come: () => Promise<boolean>, otherwise: string, signal: AbortSignal): Promise<void> {
  for (const begin = performance.now(); !(await come()); await delay(10, undefined, { signal }))
    must(performance.now() - begin < patience, otherwise)
}

const hasOnly = (directory: string, names: readonly string[]) =>
  readdirSync(directory).sort().join() === [...names].sort().join()

async function isSame(path: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([readFile(path), readFile(other)])
  return first.equals(second)
}
