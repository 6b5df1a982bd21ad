import { constants as fileConstants } from 'node:fs'
import { constants, endianness } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import { koffi, systemError } from '../libc.ts'

/** A program to start. */
export interface ProgramStart {
  /** Of the file; nothing is searched for. */
  readonly path: string
  /** The name that it is started under, and its arguments. */
  readonly args: readonly string[]
  /** All of its variables. */
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
/** More than any C library's structure for it has. */
const structureBytes = 1024
const { SIGKILL, SIGSTOP } = constants.signals

type Text = string | null
type Call = (...args: unknown[]) => number

interface Calls {
  readonly spawn: (
    pid: number[],
    path: string,
    actions: Uint8Array,
    attributes: Uint8Array,
    args: readonly Text[],
    env: readonly Text[],
  ) => number
  readonly beginActions: Call
  readonly endActions: Call
  readonly duplicate: Call
  readonly open: Call
  readonly changeDirectory: Call
  readonly setFlags: Call
  readonly attributes: Uint8Array
}

let calls: Calls | undefined

/**
 * Starts a program without a copy of this process's memory in between (posix_spawn(3)), which takes a process of 100 MB
 * half a millisecond and a fork two, after which each page is copied that is written. The program has signals as at the
 * beginning, and none blocked. It is a child that Node knows nothing of: who starts it waits for it (`reapChild`).
 *
 * @returns its number
 * @throws with the detail `errno`, as `ENOENT` or `EACCES` for the program; `invalid_argument` for a string with NUL
 */
export function spawnProgram({ path, args, env, cwd, stdio, session }: ProgramStart): number {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  for (const text of [path, cwd ?? '', String(stdio), ...args, ...variables])
    if (text.includes('\0'))
      throw new NsboxError('invalid_argument', `posix_spawn: ${JSON.stringify(text)} has a NUL`)
  const c = declared()
  const actions = new Uint8Array(structureBytes)
  checked('posix_spawn_file_actions_init', c.beginActions(actions))
  try {
    if (typeof stdio === 'string')
      checked('posix_spawn_file_actions_addopen', c.open(actions, 0, stdio, fileConstants.O_RDWR, 0))
    for (const [target, fd] of (typeof stdio === 'string' ? [0, 0, 0] : stdio).entries())
      checked('posix_spawn_file_actions_adddup2', c.duplicate(actions, fd, target))
    if (cwd !== undefined) checked('posix_spawn_file_actions_addchdir_np', c.changeDirectory(actions, cwd))
    const flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (session === true ? POSIX_SPAWN_SETSID : 0)
    checked('posix_spawnattr_setflags', c.setFlags(c.attributes, flags))
    const pid = [0]
    checked('posix_spawn', c.spawn(pid, path, actions, c.attributes, [...args, null], [...variables, null]))
    return pid[0]!
  } finally {
    c.endActions(actions)
  }
}

function declared(): Calls {
  if (calls !== undefined) return calls
  if (process.platform !== 'linux')
    throw new NsboxError('unimplemented', `posix_spawn on ${process.platform}`)
  const libc = koffi().load(null)
  const attributes = new Uint8Array(structureBytes)
  checked(
    'posix_spawnattr_init',
    (libc.func('int posix_spawnattr_init(void *attributes)') as Call)(attributes),
  )
  const set = (name: string, type: string, value: unknown) =>
    checked(name, (libc.func(`int ${name}(void *attributes, ${type} value)`) as Call)(attributes, value))
  set(
    'posix_spawnattr_setsigdefault',
    'void *',
    signalSet((signal) => signal !== SIGKILL && signal !== SIGSTOP),
  )
  set(
    'posix_spawnattr_setsigmask',
    'void *',
    signalSet(() => false),
  )
  calls = {
    spawn: libc.func(
      'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **args, const char **env)',
    ) as Calls['spawn'],
    beginActions: libc.func('int posix_spawn_file_actions_init(void *actions)') as Call,
    endActions: libc.func('int posix_spawn_file_actions_destroy(void *actions)') as Call,
    duplicate: libc.func('int posix_spawn_file_actions_adddup2(void *actions, int from, int to)') as Call,
    open: libc.func(
      'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, uint mode)',
    ) as Call,
    setFlags: libc.func('int posix_spawnattr_setflags(void *attributes, short flags)') as Call,
    changeDirectory: libc.func(
      'int posix_spawn_file_actions_addchdir_np(void *actions, const char *path)',
    ) as Call,
    attributes,
  }
  return calls
}

/** A `sigset_t` of the classic signals, 1 to 31, that are wanted. */
function signalSet(wanted: (signal: number) => boolean): Uint8Array {
  const set = new Uint8Array(128)
  const word = new DataView(set.buffer)
  let bits = 0
  for (let signal = 1; signal < 32; signal++) if (wanted(signal)) bits |= 1 << (signal - 1)
  // It is an array of 64-bit words.
  if (endianness() === 'LE') word.setUint32(0, bits, true)
  else word.setUint32(4, bits, false)
  return set
}

/** These calls return the error instead of setting it. */
function checked(name: string, errno: number): void {
  if (errno !== 0) throw systemError(name, errno)
}
