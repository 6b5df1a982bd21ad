import type { Command, Option } from 'commander'
import type { CompletedPlace, CompletionSource } from './completion-source.ts'
import { type OptionPlace, type TypedCommand, typedCommand } from './typed-command.ts'

/** What can stand for a word. */
export interface Candidate {
  readonly value: string
  /** Empty where there is none. */
  readonly description: string
}

/** What can stand for the word that is being typed. */
export type Completions =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  /** The shell knows them. */
  | { readonly kind: 'files' | 'directories' }

/** What the definitions of a program do not tell. */
export interface CompletionOptions {
  /** Where the options of the program may stand; `anywhere` by default. */
  readonly programOptions?: OptionPlace | undefined
  /** What completes an argument, which is files by default, or the value of an option. */
  readonly sourceOf?: ((place: CompletedPlace) => CompletionSource | undefined) | undefined
}

/** What completes the values of options, by how the definitions call these. */
const valueSources: Readonly<Record<string, CompletionSource>> = {
  file: 'files',
  socket: 'files',
  path: 'files',
  program: 'files',
  directory: 'directories',
  dir: 'directories',
}

/**
 * What can stand for the last of the words of a command line, by the definitions of the program: commands, options,
 * their choices, names of objects, files.
 *
 * @param words without the program's name
 */
export async function completions(
  program: Command,
  words: readonly string[],
  { programOptions = 'anywhere', sourceOf = () => undefined }: CompletionOptions = {},
): Promise<Completions> {
  const current = words.at(-1) ?? ''
  const typed = typedCommand(program, words.slice(0, -1), programOptions)
  const { awaiting, command, onlyArguments, options, path, position } = typed
  const valuesOf = async (option: Option): Promise<Found> => {
    if (option.argChoices !== undefined) return plain(option.argChoices)
    const name = option.long ?? option.short ?? ''
    const [, placeholder = ''] = /[<[](.*?)(?:\.{3})?[>\]]/.exec(option.flags) ?? []
    return await ofSource(sourceOf({ path, name, position }) ?? valueSources[placeholder], typed)
  }
  if (awaiting !== undefined) return startingWith(current, await valuesOf(awaiting))
  const [, name, value] = /^(--[^=]+)=([\s\S]*)$/.exec(current) ?? []
  const assigned = onlyArguments ? undefined : options.find(({ long }) => long === name)
  if (assigned !== undefined) {
    const found = startingWith(value!, await valuesOf(assigned))
    if (found.kind !== 'words') return found
    const candidates = found.candidates.map((each) => ({ ...each, value: `${name}=${each.value}` }))
    return { kind: 'words', candidates }
  }
  if (!onlyArguments && current.startsWith('-')) return startingWith(current, optionWords(options))
  if (command.commands.length > 0 && position === 0) return startingWith(current, commandWords(command))
  const argument =
    command.registeredArguments[position] ?? command.registeredArguments.findLast(({ variadic }) => variadic)
  if (argument === undefined) return nothing
  if (argument.argChoices !== undefined) return startingWith(current, plain(argument.argChoices))
  const source = sourceOf({ path, name: argument.name(), position }) ?? 'files'
  return startingWith(current, await ofSource(source, typed))
}

const nothing: Completions = { kind: 'words', candidates: [] }

type Found = readonly Candidate[] | 'files' | 'directories'

async function ofSource(source: CompletionSource | undefined, { values }: TypedCommand): Promise<Found> {
  if (source === undefined) return []
  if (typeof source === 'string') return source
  return plain((await source(values)).filter(isPlain))
}

/** Whether a shell takes a name as it is. Others, which images of strangers may have, are not offered. */
const isPlain = (name: string) => /^[\w./:@][\w./:@+-]*$/.test(name)

const plain = (words: readonly string[]): Candidate[] => words.map((value) => ({ value, description: '' }))

function optionWords(options: readonly Option[]): Candidate[] {
  const shown = options.filter(({ hidden }) => !hidden)
  const words = shown.flatMap(({ long, short, description }) =>
    [long, short].flatMap((value) => (value ? [{ value, description }] : [])),
  )
  return [...words, { value: '--help', description: 'display help for command' }]
}

function commandWords(command: Command): Candidate[] {
  const visible = command.createHelp().visibleCommands(command)
  return visible.map((each) => ({ value: each.name(), description: each.description() }))
}

function startingWith(current: string, found: Found): Completions {
  if (typeof found === 'string') return { kind: found }
  return { kind: 'words', candidates: found.filter(({ value }) => value.startsWith(current)) }
}
