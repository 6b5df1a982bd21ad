import { isatty } from 'node:tty'
import { isErrno, isNsboxError, printableLines } from '@nsbox/errors'
import { type Command, CommanderError } from 'commander'
import { formatBinarySize } from './format-size.ts'
import { declareWholeProgram } from './user-namespace.ts'

/** Exit status of a program that SIGPIPE ended, as shells report it. */
const brokenPipe = 141

/**
 * Runs a program on the arguments of this process. An error goes to stderr as `<program>: <message>` and makes the
 * exit status 1, unless a signal has already set it. A reader of the standard output that goes away ends the program
 * without a message and with exit status 141.
 */
export async function runProgram(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  const say = (message: string) => process.stderr.write(printableLines(`${program.name()}: ${message}\n`))
  exitByError(program, (text) => say(text.replace(/^error: /, '').trimEnd()))
  dieWithTerminal()
  declareWholeProgram()
  let outputFailed = false
  process.stdout.on('error', (error) => {
    if (!outputFailed) fail(error)
    outputFailed = true
  })
  try {
    await program.parseAsync(argv)
  } catch (error) {
    // What comes after a failure of the output is its consequence.
    if (!outputFailed) fail(error)
  }

  function fail(caught: unknown): void {
    const error = firstFailure(caught)
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode
    } else if (isErrno(error, 'EPIPE')) {
      process.exitCode = brokenPipe
    } else {
      say(error instanceof Error ? error.message : String(error))
      const held = whatIsHeld(error)
      if (held !== undefined) say(held)
      if (program.opts().debug && error instanceof Error)
        process.stderr.write(printableLines(`${error.stack}\n`))
      process.exitCode ??= 1
    }
  }
}

/**
 * Ends the process by SIGHUP if its terminal is gone: Node would fail an assertion when it resets the terminal.
 */
function dieWithTerminal(): void {
  const terminals = [0, 1, 2].filter(isatty)
  process.once('exit', () => {
    if (terminals.every(isatty)) return
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  })
}

/** How much room a failed pull keeps for another attempt, until when, and how to free it. */
function whatIsHeld(error: unknown): string | undefined {
  if (!isNsboxError(error)) return undefined
  const { heldBytes, heldLease, heldUntil } = error.details
  if (typeof heldBytes !== 'number' || heldLease === undefined) return undefined
  return (
    `${formatBinarySize(heldBytes)} of it are kept for another attempt until ${heldUntil}; ` +
    `\`ctr leases rm --sync ${heldLease}\` gives the room back`
  )
}

/** The original failure of an error that also contains failures of the cleaning up. */
function firstFailure(error: unknown): unknown {
  let first = error
  while (first instanceof Error && first.name === 'SuppressedError' && 'suppressed' in first) {
    first = first.suppressed
  }
  return first
}

/** Lets a command and those below it throw where commander would end the process, and print errors as this program. */
function exitByError(command: Command, outputError: (text: string) => void): void {
  command.exitOverride().configureOutput({ outputError })
  for (const below of command.commands) exitByError(below, outputError)
}
