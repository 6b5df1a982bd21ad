import { runOrThrow } from '@nsbox/testing'

/** A command of stock `ctr` that has none below it. */
export interface StockCommand {
  /** Words that call it, each with its other names: `[['images', 'image', 'i'], ['list', 'ls']]`. */
  readonly words: readonly (readonly string[])[]
  /** Its options, each with its other names, as they are typed: `[['--quiet', '-q']]`. */
  readonly options: readonly (readonly string[])[]
}

/** All commands of stock `ctr`, as its help lists them. */
export async function stockCommands(
  words: readonly (readonly string[])[] = [],
): Promise<readonly StockCommand[]> {
  const { stdout } = await runOrThrow('/usr/bin/ctr', [...words.map(([name]) => name!), '--help'])
  const commands = section(stdout, 'COMMANDS').filter(([name]) => name !== 'help')
  if (commands.length === 0) {
    const options = section(stdout, 'OPTIONS').filter(([name]) => name !== '--help')
    return [{ words, options }]
  }
  return (await Promise.all(commands.map((names) => stockCommands([...words, names])))).flat()
}

/** The names at the beginnings of the lines of a section of a help text. */
function section(help: string, title: string): string[][] {
  const lines = new RegExp(`\\n${title}:\\n((?: {3}.*\\n|\\n)*)`).exec(help)?.[1]?.split('\n') ?? []
  return lines.flatMap((line) => {
    const names = line.trim().split(/ {2,}/)[0]!
    // A heading of some of the commands, which ends with a colon, is none.
    if (names === '' || names.endsWith(':')) return []
    return [names.split(', ').map((name) => name.split(' ')[0]!)]
  })
}

/** Words of the calls of `ctr` in a line of a shell, as far as it can be told without running it. */
export function callsIn(line: string): string[][] {
  return [...line.matchAll(/(?:^|[\s;(&|$'])ctr ([^|;&)']*)/g)].map(([, call]) => call!.trim().split(/\s+/))
}
