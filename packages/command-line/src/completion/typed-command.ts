import type { Command, Option } from 'commander'

/** Where the options of a program may stand: before and after the name of a command, or only before it. */
export type OptionPlace = 'anywhere' | 'before commands'

/** What has been typed of a command line, and what the next word is. */
export interface TypedCommand {
  readonly command: Command
  /** Names of the commands from the program down to this one, the program left out. */
  readonly path: readonly string[]
  /** The values of options that were typed, by the names of their attributes. */
  readonly values: Readonly<Record<string, string>>
  /** The options that the command takes, those of the program included where these may follow. */
  readonly options: readonly Option[]
  /** The option whose value is next, if one is. */
  readonly awaiting: Option | undefined
  /** How many arguments of the command were typed. */
  readonly position: number
  /** Whether no options can follow. */
  readonly onlyArguments: boolean
}

/** Reads words as commander does, by the definitions of a program. @param words without the program's name */
export function typedCommand(
  program: Command,
  words: readonly string[],
  programOptions: OptionPlace,
): TypedCommand {
  let command = program
  const path: string[] = []
  const values: Record<string, string> = {}
  let options = program.options
  let awaiting: Option | undefined
  let position = 0
  let onlyArguments = false
  for (const word of words) {
    if (awaiting !== undefined) {
      values[awaiting.attributeName()] = word
      awaiting = undefined
    } else if (!onlyArguments && word === '--') {
      onlyArguments = true
    } else if (!onlyArguments && word.length > 1 && word.startsWith('-')) {
      const [name, attached] = nameAndValue(word)
      const option = options.find(({ long, short }) => name === long || name === short)
      const takesValue = option?.required || option?.optional
      if (option && takesValue && attached === undefined) awaiting = option
      else if (option && takesValue && attached !== undefined) values[option.attributeName()] = attached
    } else {
      const below = position === 0 ? commandNamed(command, word) : undefined
      if (below === undefined) {
        position += 1
        // What follows is of the program that a container runs.
        onlyArguments ||= passesOptionsOn(command)
      } else {
        command = below
        path.push(below.name())
        options = programOptions === 'anywhere' ? withThoseOf(program, below) : below.options
      }
    }
  }
  return { command, path, values, options, awaiting, position, onlyArguments }
}

/** `--name=value`, `-n` with a value attached, or a name alone. */
function nameAndValue(word: string): [name: string, value: string | undefined] {
  if (!word.startsWith('--')) return [word.slice(0, 2), word.slice(2) || undefined]
  const at = word.indexOf('=')
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

function commandNamed(command: Command, word: string): Command | undefined {
  return command.commands.find((each) => each.name() === word || each.aliases().includes(word))
}

/** The options of a command, and those of the program that it has no others for. */
function withThoseOf(program: Command, command: Command): readonly Option[] {
  const taken = new Set(command.options.flatMap(({ long, short }) => [long, short]))
  const shared = program.options.filter(({ long }) => long !== '--version' && !taken.has(long))
  return [...command.options, ...shared]
}

/** commander has no question for this setting of a command. */
function passesOptionsOn(command: Command): boolean {
  return (command as unknown as { _passThroughOptions?: boolean })._passThroughOptions === true
}
