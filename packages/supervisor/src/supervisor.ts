import type { TerminalSize } from '@nsbox/sys/descriptors'
import type { Timestamp } from '@nsbox/time'
import type { ProcessIo } from './protocol/process-record.ts'

export type { ProcessIo, TerminalSize }

/** How a call is called off. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined
}

/** How a process ended. */
export interface ProcessExit {
  /** What it returned, or 128 and the number of the signal that ended it. */
  readonly exitStatus: number
  readonly exitedAt: Timestamp
}

/** Files for one launch, with paths short enough for a socket; but for a pid file of the caller's they go with it. */
export interface LaunchPaths {
  /** Where the program must write the number of the process that it made. */
  readonly pidFile: string
  /** Where the program must send the terminal's descriptor; undefined for a process without one. */
  readonly consoleSocket: string | undefined
}

/**
 * What to run, each with its arguments: a program that is to be the process; or, given files to use, one that makes the
 * process, writes its number down and ends, such as `runc create`. The process must be its child, and become an orphan.
 */
export type LaunchCommand = readonly string[] | ((paths: LaunchPaths) => readonly string[])

/** What to launch. Input and output are none by default. */
export interface LaunchRequest extends Partial<ProcessIo> {
  /** Names the process; at most 512 characters. */
  readonly key: string
  readonly command: LaunchCommand
  /** The working directory, an absolute path; the root by default. */
  readonly cwd?: string | undefined
  /**
   * An absolute path for the pid file of a program that makes the process, where only the supervisor's user may write.
   * What is there is removed before, and the file stays afterwards. One of the supervisor's by default.
   */
  readonly pidFile?: string | undefined
  /** Added to the supervisor's few variables. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Whether the program is to run from a sealed copy in memory; scripts, and all if the host forbids it, do not. */
  readonly fromMemory?: boolean | undefined
  /** The owner of the process's ends of its pipes; the supervisor's own by default. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** All variables of a program that takes the output (`binary://`). */
  readonly logEnv?: Readonly<Record<string, string>> | undefined
  /**
   * The cgroup that the supervisor is to sit in, as a path in each hierarchy of the host that has it; there is one
   * supervisor for each. By default where this process sits.
   */
  readonly cgroup?: string | undefined
  /**
   * Whether the process waits to be let run, as one that `runc create` makes. Until `keepStdin` is called, a writer
   * that has come and left has ended the input; of a process that does not wait, and of a terminal, it never does.
   */
  readonly waits?: boolean | undefined
  /** Milliseconds until there must be a process, after which the program is killed; two minutes by default. */
  readonly timeout?: number | undefined
}

/** A process under a supervisor, until it is released. The object stays the same when supervisors come and go. */
export interface SupervisedProcess {
  readonly key: string
  /** As the host sees it. */
  readonly pid: number
  readonly io: ProcessIo
  /** How it ended; undefined before. */
  readonly ended: ProcessExit | undefined
  /**
   * Resolves when the process has ended and that is on disk. Never rejects. The status is 255 if the supervisor died
   * and the kernel cannot tell.
   */
  readonly exit: Promise<ProcessExit>
  /**
   * Resolves when, after the end, all output has been handed on, or two seconds have passed, and no descriptor of the
   * process's input and output is open any more, here or in the supervisor. Never rejects.
   */
  readonly drained: Promise<void>

  /**
   * Signals this process and no other that may have got its number since.
   * @throws `not_found` if it has ended
   */
  signal(signal: number): void

  /**
   * Sets the size of its terminal.
   * @throws `failed_precondition` if it has none; `not_found` once it has been drained
   */
  resize(size: TerminalSize): void

  /** From now on a writer that leaves does not end its input. To be called before a process that waits is let run. */
  keepStdin(options?: AbortOptions): Promise<void>

  /**
   * Closes the supervisor's own end of its input, which ends once all writers have left, after what they have written.
   * Done again, or without input, it does nothing. A terminal has no end of input: nothing more is read for it then.
   */
  closeStdin(options?: AbortOptions): Promise<void>

  /**
   * Forgets the process: closes what is left of its input and output and removes the record of its end. A process that
   * has not ended runs on, and its end is not told. Done again it does nothing.
   */
  release(options?: AbortOptions): Promise<void>
}

/**
 * A handle of the supervisor: a process of its own that starts others, is their parent, passes their input and output
 * on and records how they end. It outlives the process that has the handle, its client; if it dies itself, the next one
 * is given all that it held, and the processes notice nothing.
 *
 * There is one supervisor for all processes of a directory, and one more for each cgroup that a launch asks for and
 * each other build of the program that still has processes.
 */
export interface Supervisor extends AsyncDisposable {
  /**
   * Makes a process, in a session of its own, and takes charge of it. FIFOs are opened before: for output, when their
   * readers have come, for which it waits ten seconds.
   *
   * After a failure nothing of the process is left but what a program that was to make it left behind.
   *
   * @throws `already_exists` if a process of this key has not been released; `invalid_argument` for input or output
   * that is no FIFO, file or URI; `not_found` if it, or the cgroup, or the program is missing; `permission_denied` for
   * a program that cannot be executed; `deadline_exceeded` if no reader came or the program that makes the process took
   * too long; `canceled` by the signal; if that program failed `unknown` with details `exitCode` and `stderr` (the last
   * 16 KiB of what it wrote), and if it made no process `failed_precondition`; `unavailable` if the supervisor does not
   * start, or died meanwhile, when there may be a process nonetheless
   */
  launch(request: LaunchRequest, options?: AbortOptions): Promise<SupervisedProcess>

  /**
   * All processes that have not been released, those found at start included: among them may be one whose launch was
   * told to nobody, because the client died in that moment. Launches under way when a client dies are cancelled.
   */
  processes(): readonly SupervisedProcess[]

  /** @returns undefined if there is none, or it has been released */
  process(key: string): SupervisedProcess | undefined

  /** Starts a supervisor now, so that the first launch need not wait for it. */
  warm(options?: AbortOptions): Promise<void>

  /** Leaves: processes and supervisors with processes go on. */
  [Symbol.asyncDispose](): Promise<void>
}

/** How to open the supervisor of a directory. */
export interface SupervisorOptions {
  /**
   * An absolute path on a local filesystem that lasts as long as the system runs, used by one client at a time. It is
   * made if it is missing, and entered by its owner only.
   */
  readonly directory: string
  /** Told of what nobody waits for, such as a supervisor that died. */
  readonly onWarning?: ((message: string, error?: unknown) => void) | undefined
  /**
   * Names the build of the program; found out by default. Supervisors of another build get no new processes and end
   * with those that they have.
   */
  readonly build?: string | undefined
  /** Milliseconds after which a supervisor that does not answer is killed and replaced; ten seconds by default. */
  readonly answerTimeout?: number | undefined
}
