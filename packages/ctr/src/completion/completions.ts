import type { Command, Option } from 'commander'
import { type TypedCommand, typedCommand } from './typed-command.ts'

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

/** Kinds of objects whose names complete a word. */
export type NamedKind = 'container' | 'image' | 'namespace' | 'lease'

/** What completes an argument or an option's value, beside words that are known. */
type Kind = NamedKind | 'files' | 'directories'

/** Tells the names of objects; `values` are those of options that were typed. */
export type AskNames = (kind: NamedKind, values: TypedCommand['values']) => Promise<readonly string[]>

/** Of arguments, by their names in the definitions. */
const argumentKinds: Readonly<Record<string, Kind>> = {
  ...{ container: 'container', containers: 'container' },
  ...{ image: 'image', images: 'image', local: 'image' },
  ...{ in: 'files', out: 'files', config: 'files', path: 'files', target: 'directories' },
}

/** Of arguments whose names mean something else in each group of commands. */
const groupKinds: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  images: { ref: 'image', name: 'image', names: 'image', source: 'image' },
  namespaces: { name: 'namespace', names: 'namespace' },
  leases: { ids: 'lease' },
  containers: { args: 'image' },
  run: { args: 'image' },
}

/** Of the values of options, by how the definitions call these. */
const valueKinds: Readonly<Record<string, Kind>> = {
  ...{
    file: 'files',
    socket: 'files',
    path: 'files',
    program: 'files',
    directory: 'directories',
    dir: 'directories',
  },
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
  ask: AskNames,
): Promise<Completions> {
  const current = words.at(-1) ?? ''
  const typed = typedCommand(program, words.slice(0, -1))
  const { awaiting, command, onlyArguments, options, position } = typed
  if (awaiting !== undefined) return startingWith(current, await valuesOf(awaiting, typed, ask))
  const [, name, value] = /^(--[^=]+)=([\s\S]*)$/.exec(current) ?? []
  const assigned = onlyArguments ? undefined : options.find(({ long }) => long === name)
  if (assigned !== undefined) {
    const found = startingWith(value!, await valuesOf(assigned, typed, ask))
    if (found.kind !== 'words') return found
    const candidates = found.candidates.map((each) => ({ ...each, value: `${name}=${each.value}` }))
    return { kind: 'words', candidates }
  }
  if (!onlyArguments && current.startsWith('-')) return startingWith(current, optionWords(options))
  if (command.commands.length > 0 && position === 0) return startingWith(current, commandWords(command))
  const argument =
    command.registeredArguments[position] ?? command.registeredArguments.findLast(({ variadic }) => variadic)
  if (argument?.argChoices !== undefined) return startingWith(current, plain(argument.argChoices))
  const group = groupKinds[typed.path[0] ?? ''] ?? {}
  const kind = argument && (group[argument.name()] ?? argumentKinds[argument.name()])
  // The image comes first; what follows is of the new container.
  const isLater = argument?.name() === 'args' && position > 0
  if (kind === undefined || isLater) return argument === undefined ? nothing : { kind: 'files' }
  return startingWith(current, await ofKind(kind, typed, ask))
}

const nothing: Completions = { kind: 'words', candidates: [] }

type Found = readonly Candidate[] | 'files' | 'directories'

async function valuesOf(option: Option, typed: TypedCommand, ask: AskNames): Promise<Found> {
  if (option.argChoices !== undefined) return plain(option.argChoices)
  if (option.long === '--namespace') return await ofKind('namespace', typed, ask)
  const [, placeholder = ''] = /[<[](.*?)(?:\.{3})?[>\]]/.exec(option.flags) ?? []
  const kind = valueKinds[placeholder]
  return kind === undefined ? [] : await ofKind(kind, typed, ask)
}

async function ofKind(kind: Kind, { values }: TypedCommand, ask: AskNames): Promise<Found> {
  if (kind === 'files' || kind === 'directories') return kind
  return plain((await ask(kind, values)).filter(isPlain))
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
