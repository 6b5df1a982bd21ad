import { resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { withSession } from '../command-action.ts'

interface ForkFlags {
  readonly count: number
  readonly prefix?: string
  readonly directory?: string
}

/** `containers fork <container>` */
export function containersForkCommand(): Command {
  return new Command('fork')
    .description('make copies of a container that go on from where it is, and print their ids')
    .argument('<container>')
    .option('--count <number>', 'how many copies', wholeNumber, 1)
    .option(
      '--prefix <prefix>',
      "what their ids begin with, before a number (default: the container's id and -)",
    )
    .option(
      '--directory <directory>',
      'where its memory lies until all copies run, on the host of the server',
    )
    .action(
      withSession(async ({ client, signal }, { count, prefix, directory }: ForkFlags, id: string) => {
        const copies = await client
          .container(id)
          .fork({ count, prefix, ...(directory !== undefined && { directory: resolve(directory) }), signal })
        for (const copy of copies) {
          console.log(copy.containerId)
          await copy[Symbol.asyncDispose]()
        }
      }),
    )
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a number from 1 is wanted')
  return Number(text)
}
