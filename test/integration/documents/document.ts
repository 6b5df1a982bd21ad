import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type FencedBlock, fencedBlocks } from '@nsbox/testing'

const repository = join(import.meta.dirname, '../../..')

/** Why a block of commands may not be executed; a document says it in a comment before the block. */
export const reasonsNotToRun = [
  'as in docs/quick-start.md',
  'needs a running systemd',
  'needs a program that the tests do not install',
  'would run all tests',
] as const

/** What a reader does: gives commands to a shell, or writes a file. */
export type Step =
  | {
      readonly kind: 'commands'
      /** An account's name. */
      readonly user: string
      readonly text: string
      /** What they print, as `matchesOutput` takes it. */
      readonly output?: string
    }
  | { readonly kind: 'file'; readonly user: string; readonly path: string; readonly text: string }

/** What of a document can be executed. */
export interface Document {
  readonly steps: readonly Step[]
  /** The blocks of commands that are not to be run, and why. */
  readonly notRun: readonly { readonly reason: string; readonly text: string }[]
  /** The first lines of what nobody knows what to do with. */
  readonly unknown: readonly string[]
}

/** Blocks that show what other tests read, such as of the matrix of commands, or drawings. */
const shown = ['', 'toml', 'ts', 'diff', 'mermaid', 'json', 'dockerfile']

/**
 * Reads a document. Commands are in blocks `sh`; a block `text` right after one is what they print. A comment before a
 * block tells more: `file: NAME` that it is the content of a file, `user: NAME` whose shell the commands are for,
 * `not run: REASON` that they are not to be run.
 *
 * @param path from the root of the checkout
 */
export async function readDocument(path: string): Promise<Document> {
  const text = await readFile(join(repository, path), 'utf8')
  const blocks = fencedBlocks(text)
  const steps: Step[] = []
  const notRun: { reason: string; text: string }[] = []
  // Every second fence closes a block; one that is indented is none that is looked at.
  const fences = text.match(/^ *```.*$/gm)?.filter((_, index) => index % 2 === 0) ?? []
  const unknown = fences.filter((fence) => !/^```\w*$/.test(fence))
  // A block by indentation has no language, so nobody knows whether it is commands.
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '')
  for (const [, before, line] of prose.matchAll(/^(.*)\n\n( {4,}\S.*)$/gm))
    if (!/^( |- |\d+\.)/.test(before!)) unknown.push(line!)
  for (const [index, block] of blocks.entries()) {
    const [, directive, value] = /^(file|user|not run): (.*)$/.exec(block.comment ?? '') ?? []
    if (directive === 'not run') notRun.push({ reason: value!, text: block.text })
    else if (directive === 'file') steps.push({ kind: 'file', user: 'root', path: value!, text: block.text })
    else if (block.language === 'sh') steps.push(commandsOf(block, blocks[index + 1], value ?? 'root'))
    else if (block.language === 'text' && isOutput(blocks[index - 1])) continue
    else if (!shown.includes(block.language)) unknown.push(`\`\`\`${block.language}\n${block.text}`)
  }
  return { steps, notRun, unknown }
}

function commandsOf({ text }: FencedBlock, next: FencedBlock | undefined, user: string): Step {
  const output = next?.language === 'text' ? { output: next.text } : {}
  return { kind: 'commands', user, text, ...output }
}

const isOutput = (before: FencedBlock | undefined) => before?.language === 'sh'
