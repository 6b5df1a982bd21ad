import { type ErrorCode, NsboxError } from '@nsbox/errors'

/** Names of commands in errors. */
export type RuntimeCommand =
  | 'create'
  | 'start'
  | 'exec'
  | 'restore'
  | 'kill'
  | 'pause'
  | 'resume'
  | 'update'
  | 'delete'
  | 'state'
  | 'ps'
  | 'list'
  | 'checkpoint'
  | 'features'
  | 'version'

/** Codes for messages of runc 1.0 to 1.4 and of crun. The first that matches counts. */
const meanings: readonly (readonly [RegExp, ErrorCode])[] = [
  [/container "?[\w+.-]*"? ?does not exist|No such file or directory: .*status/, 'not_found'],
  [/container with given ID already exists|already exists$/, 'already_exists'],
  [/cannot start (?:an already running container|a container that has stopped)/, 'failed_precondition'],
  [/cannot delete container .* that is not stopped/, 'failed_precondition'],
  [/cannot exec in a (?:stopped|paused) container/, 'failed_precondition'],
  [/Container cannot be checkpointed in \w+ state/, 'failed_precondition'],
  // runc looks for `criu` in the search path of this process; crun loads a library.
  [/exec: "criu": executable file not found|libcriu/, 'unimplemented'],
  [/CRIU is missing features|not supported on this (?:kernel|system)/, 'unimplemented'],
  [/Invalid manage cgroups mode|namespace "[^"]*" is not supported/, 'invalid_argument'],
  [/container not (?:running|paused)|container is (?:paused|not running)/, 'failed_precondition'],
]

const ended = /process already finished|process not found|no such process|container not running/

/**
 * The error for a failed command. Its text keeps the runtime's message, since clients look for parts of it (`executable
 * file not found`, `permission denied`, …).
 *
 * @param words the runtime's message, or how it ended if there is none
 */
export function runtimeError(command: RuntimeCommand, words: string, cause?: unknown): NsboxError {
  const options = cause === undefined ? {} : { cause }
  if (command === 'kill' && ended.test(words))
    return new NsboxError('not_found', 'process already finished', options)
  const code = meanings.find(([pattern]) => pattern.test(words))?.[1] ?? 'unknown'
  return new NsboxError(code, `OCI runtime ${command} failed: ${words}`, options)
}

/** The error for a program that cannot be started; it names the program in quotes. */
export function missingProgram(command: RuntimeCommand, binary: string, cause: unknown): NsboxError {
  const name = JSON.stringify(binary)
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code
  const reason =
    errno === 'ENOENT'
      ? binary.includes('/')
        ? 'no such file or directory'
        : 'executable file not found in $PATH'
      : errno === 'EACCES'
        ? 'permission denied'
        : String((cause as Error | undefined)?.message ?? cause)
  return runtimeError(command, `exec: ${name}: ${reason}`, cause)
}
