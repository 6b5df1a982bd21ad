import type { TypedCommand } from './typed-command.ts'

/** A word of a command line, by the definitions of the program. */
export interface CompletedPlace {
  /** Names of the commands from the program down, the program left out. */
  readonly path: readonly string[]
  /** The argument's name in the definitions, or the option's with its dashes. */
  readonly name: string
  /** How many arguments stand before it. */
  readonly position: number
}

/** Tells names of objects. @param values those of options that were typed, by the names of their attributes */
export type AskNames = (values: TypedCommand['values']) => Promise<readonly string[]>

/** What completes a word, beside what the definitions tell. */
export type CompletionSource = 'files' | 'directories' | AskNames
