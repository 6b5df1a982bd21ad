import type { Command, Option } from 'commander'
import type { OptionPlace } from '../completion/typed-command.ts'
import { roffArgument, roffText } from './roff-text.ts'

/** What the definitions of a program do not tell. */
export interface ManualOptions {
  /** Of the program. */
  readonly version: string
  /** What the program belongs to, which the page names with the version; the program by default. */
  readonly project?: string | undefined
  /** Of the manual: 1 for programs of all users, 8 for those of administrators; 1 by default. */
  readonly section?: 1 | 8 | undefined
  /** What follows the program's name; by default options, a command, its options and arguments. */
  readonly synopsis?: string | undefined
  /** Where the options of the program may stand; `anywhere` by default. */
  readonly programOptions?: OptionPlace | undefined
  /** Paragraphs that follow what all exit statuses mean. */
  readonly exitStatus?: readonly string[] | undefined
  /** What comes last. */
  readonly sections?: readonly ManualSection[] | undefined
}

/** A section of a page. */
export interface ManualSection {
  /** Shown in capitals. */
  readonly title: string
  /** What it tells of, each with its name. */
  readonly entries: readonly (readonly [name: string, text: string])[]
}

const manuals = { 1: 'User Commands', 8: 'System Administration' } as const

const places: Readonly<Record<OptionPlace, string>> = {
  anywhere: 'They may stand before a command and after it, unless the command has another one of that name.',
  'before commands': 'They stand before a command.',
}

/**
 * The manual page of a program, from the definitions of its commands, in the requests of man(7): one section for all
 * commands, with their arguments and options.
 */
export function manualPage(program: Command, options: ManualOptions): string {
  const name = program.name()
  const {
    version,
    project = name,
    section = 1,
    synopsis = '[options] <command> [options] [arguments…]',
    programOptions = 'anywhere',
    exitStatus = [],
    sections = [],
  } = options
  const title = [name.toUpperCase(), String(section), '', `${project} ${version}`, manuals[section]]
  return lines([
    `.TH ${title.map(roffArgument).join(' ')}`,
    '.SH NAME',
    `${roffText(name)} \\- ${roffText(program.description())}`,
    '.SH SYNOPSIS',
    ...usage(name, synopsis),
    '.SH OPTIONS',
    places[programOptions],
    ...optionsOf(program),
    '.SH COMMANDS',
    ...commandsOf(program).flatMap(({ path, command }) => commandPart([name, ...path].join(' '), command)),
    '.SH EXIT STATUS',
    ...tagged('0', 'It was done.'),
    ...tagged('1', 'It was not, for the reason on standard error.'),
    ...tagged('128 + n', 'A signal of that number ended it; 130 after an interrupt.'),
    ...exitStatus.flatMap((text) => ['.PP', roffText(text)]),
    ...sections.flatMap(({ title, entries }) => [
      `.SH ${roffArgument(title.toUpperCase())}`,
      ...entries.flatMap(([name, text]) => tagged(name, text)),
    ]),
  ])
}

interface FoundCommand {
  readonly path: readonly string[]
  readonly command: Command
}

/** The commands that do something, in the order in which help shows them. */
function commandsOf(command: Command, path: readonly string[] = []): FoundCommand[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => command.commands.includes(each))
  if (below.length === 0) return [{ path, command }]
  return below.flatMap((each) => commandsOf(each, [...path, each.name()]))
}

function commandPart(name: string, command: Command): string[] {
  const help = command.createHelp()
  const aliases = command.aliases()
  return [
    `.SS ${roffArgument(name)}`,
    ...usage(name, command.usage()),
    '.PP',
    roffText(sentence(command.description())),
    ...(aliases.length === 0 ? [] : ['.PP', roffText(`Also called ${aliases.join(', ')}.`)]),
    ...help
      .visibleArguments(command)
      .filter((argument) => help.argumentDescription(argument) !== '')
      .flatMap((argument) => tagged(help.argumentTerm(argument), help.argumentDescription(argument))),
    ...optionsOf(command),
  ]
}

function optionsOf(command: Command): string[] {
  const help = command.createHelp()
  return help
    .visibleOptions(command)
    .filter((option) => option.long !== '--help')
    .flatMap((option: Option) => tagged(help.optionTerm(option), help.optionDescription(option)))
}

const usage = (name: string, text: string) => [`.B ${roffArgument(name)}`, roffText(text)]

const tagged = (tag: string, text: string) => ['.TP', `.B ${roffArgument(tag)}`, roffText(text)]

const sentence = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`

/** Requests are lines, and an empty line would be a break. */
const lines = (parts: readonly string[]) => `${parts.filter((part) => part !== '').join('\n')}\n`
