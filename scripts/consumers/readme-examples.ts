import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fencedBlocks } from '@nsbox/testing'
import { root } from '../setup/command.mjs'

/** A program in a README. */
export interface Example {
  /** In TypeScript. */
  readonly typescript: string
  /** For use as JavaScript on every Node that is supported: the block beside it, or the same text without types. */
  readonly javascript: string
  /** Whether there is a block beside it. */
  readonly beside: boolean
  /** What it is to print, if the README says so. */
  readonly output: string | undefined
}

/** What a package's README tells its users to do. */
export interface Readme {
  /** The packages of the first `npm install`, without which the examples do not work. */
  readonly install: readonly string[]
  readonly examples: readonly Example[]
  /**
   * The first lines of blocks that nobody runs or reads: such as those in a list, or in another language. Commands of
   * the README of the repository are run with those of the documents.
   */
  readonly others: readonly string[]
}

/**
 * Reads a README. A block `ts` is an example; a block `js` or `text` that follows before the next one is the same in
 * JavaScript, or its output.
 *
 * @param directory from the root
 */
export function readReadme(directory: string): Readme {
  const text = readFileSync(join(root, directory, 'README.md'), 'utf8')
  const install = /^ {4}npm install (?:--save-dev )?(@.+)$/m.exec(text)?.[1]?.split(' ') ?? []
  const blocks = fencedBlocks(text)
  const examples = blocks.flatMap(({ language, text: typescript }, index) => {
    if (language !== 'ts') return []
    const next = blocks.slice(index + 1).findIndex((block) => block.language === 'ts')
    const beside = blocks.slice(index + 1, next === -1 ? undefined : index + 1 + next)
    const find = (wanted: string) => beside.find((block) => block.language === wanted)?.text
    const javascript = find('js')
    return [
      {
        typescript,
        javascript: javascript ?? typescript,
        beside: javascript !== undefined,
        output: find('text'),
      },
    ]
  })
  // Every second fence closes a block.
  const fences = text.match(/^ *```.*$/gm)?.filter((_, index) => index % 2 === 0) ?? []
  const known = ['```ts', '```js', '```text', '```toml', ...(directory === '.' ? ['```sh'] : [])]
  const others = fences.filter((fence) => !known.includes(fence))
  return { install, examples, others }
}
