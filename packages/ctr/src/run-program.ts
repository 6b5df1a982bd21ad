import { type Command, CommanderError } from 'commander'

/**
 * Runs a program on the arguments of this process. An error goes to stderr as `<program>: <message>` and makes the
 * exit status 1.
 */
export async function runProgram(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  program.exitOverride()
  try {
    await program.parseAsync(argv)
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode
      return
    }
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${program.name()}: ${message}\n`)
    if (program.opts().debug && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    process.exitCode = 1
  }
}
