import { constants as fileConstants } from 'node:fs'
import { constants } from 'node:os'
import { type CArgument, CFunction, littleEndian } from '../c-function.ts'

/** A program to start. */
export interface ProgramStart {
  /** The path of the file; there is no search. */
  readonly path: string
  /** Its name for the program, and the arguments. */
  readonly args: readonly string[]
  /** All its variables. */
  readonly env: Readonly<Record<string, string>>
  /** `.` by default. */
  readonly cwd?: string | undefined
  /**
   * Which of this process's descriptors become its 0, 1 and 2; each is above 2, and stays open here. Or the path of a
   * terminal that it opens as all three.
   */
  readonly stdio: readonly [number, number, number] | string
  /** Whether it begins a session (setsid(2)), of which its terminal is then the controlling one; false by default. */
  readonly session?: boolean | undefined
}

const POSIX_SPAWN_SETSIGDEF = 4
const POSIX_SPAWN_SETSIGMASK = 8
const POSIX_SPAWN_SETSID = 128
/** Larger than the structure in any C library. */
const structureBytes = 1024
const signalSetBytes = 128
const { SIGKILL, SIGSTOP } = constants.signals

// These return the error instead of setting errno.
const calls = {
  spawn: new CFunction(
    'int posix_spawn(int *pid, const char *path, void *actions, void *attributes, const char **args, const char **env)',
  ),
  beginActions: new CFunction('int posix_spawn_file_actions_init(void *actions)'),
  endActions: new CFunction('int posix_spawn_file_actions_destroy(void *actions)'),
  duplicate: new CFunction('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)'),
  open: new CFunction(
    'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint mode)',
  ),
  changeDirectory: new CFunction('int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)'),
  beginAttributes: new CFunction('int posix_spawnattr_init(void *attributes)'),
  setFlags: new CFunction('int posix_spawnattr_setflags(void *attributes, short flags)'),
  setDefaults: new CFunction('int posix_spawnattr_setsigdefault(void *attributes, const void *signals)'),
  setMask: new CFunction('int posix_spawnattr_setsigmask(void *attributes, const void *signals)'),
}

let attributes: Uint8Array | undefined

/**
 * Starts a program without copying this process's memory (posix_spawn(3)). That takes a process of 100 MB half a
 * millisecond, a fork two, and after a fork each written page is copied. The program has default signal handling, and
 * no blocked signals. Node does not know the child: the caller waits for it (`reapChild`).
 *
 * @returns its pid
 * @throws with the detail `errno`, such as `ENOENT` or `EACCES` for the program; `invalid_argument` for a string with
 * NUL
 */
export function spawnProgram({ path, args, env, cwd, stdio, session }: ProgramStart): number {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  attributes ??= signalAttributes()
  const actions = new Uint8Array(structureBytes)
  done(calls.beginActions, actions)
  try {
    const isTerminal = typeof stdio === 'string'
    if (isTerminal) done(calls.open, actions, 0, stdio, fileConstants.O_RDWR, 0)
    for (const [target, fd] of (isTerminal ? [0, 0, 0] : stdio).entries())
      done(calls.duplicate, actions, fd, target)
    if (cwd !== undefined) done(calls.changeDirectory, actions, cwd)
    const flags = session === true ? POSIX_SPAWN_SETSID : 0
    done(calls.setFlags, attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | flags)
    const pid = new Int32Array(1)
    const error = calls.spawn.call(pid, path, actions, attributes, [...args, null], [...variables, null])
    calls.spawn.succeeded(-error, path)
    return pid[0]!
  } finally {
    calls.endActions.call(actions)
  }
}

function signalAttributes(): Uint8Array {
  const made = new Uint8Array(structureBytes)
  done(calls.beginAttributes, made)
  done(calls.setDefaults, made, settableSignals())
  done(calls.setMask, made, new Uint8Array(signalSetBytes))
  return made
}

function done(call: CFunction, ...args: readonly CArgument[]): void {
  call.succeeded(-call.call(...args))
}

/** A `sigset_t`, an array of 64-bit words, with the classic signals, 1 to 31, that can be handled. */
function settableSignals(): Uint8Array {
  const set = new Uint8Array(signalSetBytes)
  const bits = 0x7fffffff & ~(1 << (SIGKILL - 1)) & ~(1 << (SIGSTOP - 1))
  new DataView(set.buffer).setUint32(littleEndian ? 0 : 4, bits, littleEndian)
  return set
}
