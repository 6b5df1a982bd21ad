import { isErrno } from '@nsbox/errors'
import { type Command, CommanderError } from 'commander'

/**
 * Runs a program on the arguments of this process. An error goes to stderr as `<program>: <message>` and makes the
 * exit status 1. A reader of the output that goes away, such as `head`, ends the program quietly.
 */
export async function runProgram(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  process.stdout.on('error', (error) => {
    if (!isErrno(error, 'EPIPE')) throw error
    process.exit()
  })
  const write = (message: string) => process.stderr.write(`${program.name()}: ${message}\n`)
  exitByError(program, (text) => write(text.replace(/^error: /, '').trimEnd()))
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode
      return
    }
    write(error instanceof Error ? error.message : String(error))
    if (program.opts().debug && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    process.exitCode = 1
  }
}

/** Lets a command and those below it throw where commander would end the process, and say what is wrong our way. */
function exitByError(command: Command, outputError: (text: string) => void): void {
  command.exitOverride().configureOutput({ outputError })
  for (const below of command.commands) exitByError(below, outputError)
}
