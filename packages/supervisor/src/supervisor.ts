import type { TerminalSize } from '@nsbox/sys/descriptors'
import type { Timestamp } from '@nsbox/time'
import type { ProcessIo } from './protocol/process-record.ts'

export type { ProcessIo, TerminalSize }

/** How a call is aborted. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined
}

/** How a process ended. */
export interface ProcessExit {
  /** Its exit status, or 128 plus the number of the signal that ended it. */
  readonly exitStatus: number
  readonly exitedAt: Timestamp
}

/**
 * Files for one launch, with paths short enough for a socket. They are removed with it, except for a caller's pid file.
 */
export interface LaunchPaths {
  /** Where the program must write the pid of the process that it made. */
  readonly pidFile: string
  /** Where the program must send the terminal's descriptor; undefined for a process without one. */
  readonly consoleSocket: string | undefined
}

/**
 * What to run, as a program with its arguments: one that becomes the process; or, if it needs `LaunchPaths`, one that
 * makes the process, writes its pid and ends, such as `runc create`. The process must be its child, and become an
 * orphan.
 */
export type LaunchCommand = readonly string[] | ((paths: LaunchPaths) => readonly string[])

/** What to launch. Input and output are empty by default. */
export interface LaunchRequest extends Partial<ProcessIo> {
  /** Identifies the process; at most 512 characters. */
  readonly key: string
  readonly command: LaunchCommand
  /** The working directory, an absolute path; the root by default. */
  readonly cwd?: string | undefined
  /**
   * An absolute path for the pid file of a program that makes the process, where only the supervisor's user may write.
   * An existing file is removed before, and the new one stays afterwards. One of the supervisor's by default.
   */
  readonly pidFile?: string | undefined
  /** Variables besides the supervisor's few. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Whether the program runs from a sealed copy in memory. Ignored for scripts, and if the host forbids it. */
  readonly fromMemory?: boolean | undefined
  /** The owner of the process's ends of its pipes; the supervisor's own by default. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** All variables of a program that takes the output (`binary://`). */
  readonly logEnv?: Readonly<Record<string, string>> | undefined
  /**
   * The cgroup for the supervisor, as a path in each hierarchy of the host that has it; each such cgroup has a
   * supervisor of its own. That of this process by default.
   */
  readonly cgroup?: string | undefined
  /**
   * Whether the process waits for its start, as after `runc create`. Until `keepStdin` is called, its input ends when a
   * writer leaves; that of other processes, and of a terminal, does not.
   */
  readonly waits?: boolean | undefined
  /**
   * For a process that no later client should find. When this client dies, closes its handle or loses its connection,
   * the process and all others of its cgroup, a path in each hierarchy of the host that has it, are killed, the cgroup
   * is removed, and the process is forgotten. The same becomes of the cgroup when the launch fails. By default it goes
   * on.
   */
  readonly endsWithClient?: { readonly cgroup: string } | undefined
  /** Milliseconds until the process must exist, after which the program is killed; two minutes by default. */
  readonly timeout?: number | undefined
}

/** A process under a supervisor, until it is released. The object stays the same when its supervisor is replaced. */
export interface SupervisedProcess {
  readonly key: string
  /** The pid on the host. */
  readonly pid: number
  readonly io: ProcessIo
  /** How it ended; undefined before. */
  readonly ended: ProcessExit | undefined
  /**
   * Resolves when the process has ended and that is on disk. Never rejects. The status is 255 if the supervisor died
   * and the kernel does not give it.
   */
  readonly exit: Promise<ProcessExit>
  /**
   * Resolves when, after the end, all output has been passed on, or two seconds have passed, and all descriptors of the
   * process's input and output are closed, here and in the supervisor. Never rejects.
   */
  readonly drained: Promise<void>

  /**
   * Signals this process, and never another one that has got its pid since.
   * @throws `not_found` if it has ended
   */
  signal(signal: number): void

  /**
   * Sets the size of its terminal.
   * @throws `failed_precondition` if it has none; `not_found` once it has been drained
   */
  resize(size: TerminalSize): void

  /** From now on its input does not end when a writer leaves. To be called before the start of a process that waits. */
  keepStdin(options?: AbortOptions): Promise<void>

  /**
   * Closes the supervisor's own end of its input, which ends once all writers have left and their data has been read.
   * Idempotent; does nothing without input. A terminal has no end of input: it is only not written to any more.
   */
  closeStdin(options?: AbortOptions): Promise<void>

  /**
   * Forgets the process: closes the rest of its input and output and removes the record of its exit. A process that has
   * not ended goes on, and its end is not reported. Idempotent.
   */
  release(options?: AbortOptions): Promise<void>
}

/**
 * A handle of the supervisor: a separate process that starts others, is their parent, passes on their input and output,
 * and records their exits. It outlives its client, the process that has the handle. If the supervisor dies, the next
 * one gets all its descriptors, and the processes go on.
 *
 * There is one supervisor for all processes of a directory, one more for each cgroup that a launch asks for, and one
 * for each other build of the program that still has processes.
 */
export interface Supervisor extends AsyncDisposable {
  /**
   * Makes a process, in a session of its own. FIFOs are opened before: those for output once they have readers, which
   * are waited for ten seconds.
   *
   * After a failure nothing of the process is left, except for what a program that should make it left behind.
   *
   * @throws `already_exists` if a process with this key has not been released; `invalid_argument` for input or output
   * that is no FIFO, file or URI; `not_found` if it, or the cgroup, or the program is missing; `permission_denied` for
   * a program that cannot be executed; `deadline_exceeded` if no reader came or the program that makes the process took
   * too long; `canceled` by the signal; if that program failed `unknown` with details `exitCode` and `stderr` (its last
   * 16 KiB), and if it made no process `failed_precondition`; `unavailable` if the supervisor does not start, or died
   * meanwhile, after which the process may exist
   */
  launch(request: LaunchRequest, options?: AbortOptions): Promise<SupervisedProcess>

  /**
   * All processes that have not been released, including those found at start. One may be the result of a launch that
   * the client never saw, because it died. Other launches under way are cancelled when the client dies.
   */
  processes(): readonly SupervisedProcess[]

  /** @returns undefined if there is none, or it has been released */
  process(key: string): SupervisedProcess | undefined

  /** How many there are, at this moment. */
  statistics(): SupervisorStatistics

  /** Starts a supervisor now, so that the first launch need not wait for it. */
  warm(options?: AbortOptions): Promise<void>

  /** Closes the handle: processes and supervisors with processes go on. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Numbers of supervisors and of what they hold. */
export interface SupervisorStatistics {
  /** Supervisors that take new processes or hold some. */
  readonly supervisors: number
  /** Processes that have not been released. */
  readonly processes: number
  /** Supervisors that were lost since the handle was opened, and whose processes another one has taken over. */
  readonly lost: number
}

/** How to open the supervisor of a directory. */
export interface SupervisorOptions {
  /**
   * An absolute path on a local filesystem that is empty after a start of the system, used by one client at a time. It
   * is made if it is missing, for its owner only.
   */
  readonly directory: string
  /** Called with failures of background work, such as a supervisor that died. */
  readonly onWarning?: ((message: string, error?: unknown) => void) | undefined
  /**
   * Identifies the build of the program; found by default. Supervisors of another build get no new processes and end
   * with those that they have.
   */
  readonly build?: string | undefined
  /** Milliseconds after which a supervisor that does not answer is killed and replaced; ten seconds by default. */
  readonly answerTimeout?: number | undefined
}
