import { resolve } from 'node:path'
import type { TaskHandle } from '@nsbox/client'
import { removeContainer } from '@nsbox/client'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { Command, InvalidArgumentError } from 'commander'
import { withSession } from '../command-action.ts'
import { networkOf } from '../network/container-network.ts'
import { print } from '../print.ts'
import type { Session } from '../session.ts'

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
      withSession(async (session, { count, prefix, directory }: ForkFlags, id: string) => {
        const fork = { count, prefix, ...(directory !== undefined && { directory: resolve(directory) }) }
        const copies = await session.client.container(id).fork({ ...fork, signal: session.signal })
        await using undo = new AsyncDisposableStack()
        for (const copy of copies) undo.defer(() => removeCopy(session, copy))
        for (const copy of copies) await connect(session, copy, undo)
        undo.move()
        for (const copy of copies) {
          print(copy.containerId)
          await copy[Symbol.asyncDispose]()
        }
      }),
    )
}

/** Connects a copy to the networks of its container, since a checkpoint does not include networks. */
async function connect(session: Session, copy: TaskHandle, undo: AsyncDisposableStack): Promise<void> {
  const container = await session.client.containers.get(copy.containerId, { signal: session.signal })
  const network = await networkOf(session, container)
  if (network === undefined) return
  undo.defer(() => network.disconnect())
  await network.connect(copy.pid)
}

async function removeCopy({ client }: Session, copy: TaskHandle): Promise<void> {
  const container = await client.containers.get(copy.containerId)
  const ended = copy.exit
  await copy.kill('SIGKILL', { all: true })
  await ended
  await copy.delete()
  await removeContainer(client, container)
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('a number from 1 is wanted')
  return Number(text)
}
