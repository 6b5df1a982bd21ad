import { expect, it } from 'vitest'

/** A command line program, or a command below one, as the library of that name has it. */
interface Command {
  name(): string
  description(): string
  readonly options: readonly {
    readonly long?: string | null | undefined
    readonly defaultValue?: unknown
    readonly defaultValueDescription?: string | undefined
    readonly parseArg?: ((value: string, previous: never) => unknown) | undefined
  }[]
  readonly commands: readonly Command[]
  exitOverride(): this
  configureOutput(output: { writeOut(text: string): void }): this
  parseAsync(args: readonly string[], options: { from: 'user' }): Promise<unknown>
}

/**
 * Tests that each command of a program has help, however it is asked for, with defaults as one would type them, and
 * that each that lists things can do so as JSON.
 *
 * @param create makes the program anew
 */
export function helpTests(create: () => Command): void {
  const program = create()
  it(`has --json on every list of ${program.name()}`, () => {
    const lists = listsOf(program)
    expect(lists.length).toBeGreaterThan(2)
    const without = lists.filter(({ command }) => !command.options.some(({ long }) => long === '--json'))
    expect(without.map(({ path }) => path.join(' '))).toEqual([])
  })
  it(`shows defaults of ${program.name()} as its options take them`, () => {
    for (const { long, defaultValue, defaultValueDescription, parseArg } of optionsOf(program)) {
      if (parseArg === undefined || defaultValue === undefined || Array.isArray(defaultValue)) continue
      // Help shows text in quotes, which nobody types.
      const text = () => (typeof defaultValue === 'string' ? defaultValue : JSON.stringify(defaultValue))
      const shown = defaultValueDescription ?? text()
      expect(parseArg(shown, undefined as never), `${long} ${shown}`).toEqual(defaultValue)
    }
  })
  it.each(pathsOf(program).map((path) => ({ path })))(
    `has help for ${program.name()} $path`,
    async ({ path }) => {
      for (const asked of [[...path, '--help'], path.length === 1 ? ['help', ...path] : [...path, '-h']]) {
        const shown = await output(create(), asked)
        expect(shown).toMatch(new RegExp(`^Usage: ${[program.name(), ...path].join(' ')}(\\|\\S+)? `))
      }
    },
  )
}

/** The commands of a program that list things, as their names or descriptions say, with how they are typed. */
export function listsOf(program: Command): { readonly path: string[]; readonly command: Command }[] {
  const found = (command: Command, path: string[]): { path: string[]; command: Command }[] => [
    ...(/^list\b/.test(command.description()) ? [{ path, command }] : []),
    ...command.commands.flatMap((each) => found(each, [...path, each.name()])),
  ]
  return found(program, [])
}

function optionsOf(command: Command): Command['options'] {
  return [...command.options, ...command.commands.flatMap(optionsOf)]
}

/** A command, and all those below it, as they are typed. */
function pathsOf(command: Command): string[][] {
  const below = command.commands.flatMap((each) => pathsOf(each).map((path) => [each.name(), ...path]))
  return [[], ...below]
}

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
  await expect(parsing).rejects.toMatchObject({ name: 'CommanderError', exitCode: 0 })
  return text
}
