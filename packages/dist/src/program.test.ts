import { type Command, CommanderError } from 'commander'
import { expect, it } from 'vitest'
import { distProgram } from './program.ts'

const program = distProgram()

/** A command, and all those below it, as they are typed. */
function pathsOf(command: Command): string[][] {
  const below = command.commands.flatMap((each) => pathsOf(each).map((path) => [each.name(), ...path]))
  return [[], ...below]
}

it.each(pathsOf(program).map((path) => ({ path })))('has help for dist $path', async ({ path }) => {
  for (const asked of [[...path, '--help'], path.length === 1 ? ['help', ...path] : [...path, '-h']]) {
    const shown = await output(distProgram(), asked)
    expect(shown).toMatch(new RegExp(`^Usage: ${['dist', ...path].join(' ')}(\\|\\S+)? `))
  }
})

/** What a program prints that ends by its help. */
async function output(command: Command, args: readonly string[]): Promise<string> {
  let text = ''
  const catching = (each: Command) => {
    each.exitOverride().configureOutput({
      writeOut: (more) => {
        text += more
      },
    })
    each.commands.forEach(catching)
  }
  catching(command)
  const parsing = command.parseAsync(args, { from: 'user' })
  await expect(parsing).rejects.toSatisfy((error) => error instanceof CommanderError && error.exitCode === 0)
  return text
}
