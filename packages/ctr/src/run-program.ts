import { isErrno } from '@nsbox/errors'
import { type Command, CommanderError } from 'commander'

/** Exit status of a program that SIGPIPE ended, as shells report it. */
const BROKEN_PIPE = 141

/**
 * Runs a program on the arguments of this process. An error goes to stderr as `<program>: <message>` and makes the
 * exit status 1, unless a signal has already set it. A reader of the standard output that goes away ends the program without a message and with exit
 * status 141.
 */
export async function runProgram(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  program.exitOverride()
  let outputFailed = false
  process.stdout.on('error', (error) => {
    if (!outputFailed) fail(program, error)
    outputFailed = true
  })
  try {
    await program.parseAsync(argv)
  } catch (error) {
    // What comes after a failure of the output is its consequence.
    if (!outputFailed) fail(program, error)
  }
}

function fail(program: Command, error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode
    return
  }
  if (isErrno(error, 'EPIPE')) {
    process.exitCode = BROKEN_PIPE
    return
  }
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`${program.name()}: ${message}\n`)
  if (program.opts().debug && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  process.exitCode ??= 1
}
