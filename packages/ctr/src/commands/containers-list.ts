import type { Container } from '@nsbox/core/containers'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { type ListOptions, printList } from '../print.ts'
import { renderTable } from '../table.ts'

/** `containers ls [filters]` */
export function containersListCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list containers')
    .argument('[filters...]')
    .option('-q, --quiet', 'print only the ids')
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, options: ListOptions, filters: string[]) => {
        const containers: ReturnType<typeof listed>[] = []
        // What comes with each, such as its spec, need not be in memory all at once.
        for await (const container of client.containers.list(filters, { signal }))
          containers.push(listed(container))
        printList(
          containers,
          options,
          ({ id }) => id,
          () => {
            const rows = containers.map(({ id, image, runtime }) => [id, image || '-', runtime, ''])
            return renderTable([['CONTAINER', 'IMAGE', 'RUNTIME', ''], ...rows], { minWidth: 4, padding: 4 })
          },
        )
      }),
    )
}

function listed({ runtime, spec, extensions, ...rest }: Container) {
  return { ...rest, runtime: runtime.name, spec: spec.typeUrl, extensions: Object.keys(extensions).sort() }
}
