import type { Command, Option } from 'commander'
import { roffArgument, roffText } from './roff-text.ts'

/**
 * The manual page of a program, from the definitions of its commands, in the requests of man(7): one section for all
 * commands, with their arguments and options.
 *
 * @param version of the program
 */
export function manualPage(program: Command, version: string): string {
  const name = program.name()
  const commands = commandsOf(program)
  return lines([
    `.TH ${roffArgument(name.toUpperCase())} 1 "" ${roffArgument(`nsbox ${version}`)} "User Commands"`,
    '.SH NAME',
    `${roffText(name)} \\- ${roffText(program.description())}`,
    '.SH SYNOPSIS',
    ...synopsis(name, '[options] <command> [options] [arguments…]'),
    '.SH OPTIONS',
    'They may stand before a command and after it, unless the command has another one of that name.',
    ...optionsOf(program),
    '.SH COMMANDS',
    ...commands.flatMap(({ path, command }) => commandPart([name, ...path].join(' '), command)),
    '.SH EXIT STATUS',
    ...tagged('0', 'It was done.'),
    ...tagged('1', 'It was not, for the reason on standard error.'),
    ...tagged('128 + n', 'A signal of that number ended it; 130 after an interrupt.'),
    ...(commands.some(({ path }) => path[0] === 'run')
      ? ['.PP', 'A command that runs a process in the foreground ends with the status of that process.']
      : []),
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
    ...synopsis(name, command.usage()),
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

const synopsis = (name: string, usage: string) => [`.B ${roffArgument(name)}`, roffText(usage)]

const tagged = (tag: string, text: string) => ['.TP', `.B ${roffArgument(tag)}`, roffText(text)]

const sentence = (text: string) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`

/** Requests are lines, and an empty line would be a break. */
const lines = (parts: readonly string[]) => `${parts.filter((part) => part !== '').join('\n')}\n`
