import type { Lease } from '@nsbox/core/leases'
import { isNotFound } from '@nsbox/errors'
import { labelKeys } from '@nsbox/oci'
import { Command, Option } from 'commander'
import { withSession } from '../command-action.ts'
import { formatLabels } from '../format-labels.ts'
import { parseDuration } from '../global-options.ts'
import { parseLabels } from '../parse-labels.ts'
import { complain, type ListOptions, print, printList } from '../print.ts'
import { renderTable } from '../table.ts'
import { whereabouts } from '../whereabouts.ts'

const day = 24 * 60 * 60 * 1000

/** `leases ls|create|rm` */
export function leasesCommand(): Command {
  return new Command('leases')
    .description('manage leases')
    .addCommand(listCommand())
    .addCommand(createCommand())
    .addCommand(deleteCommand())
}

function listCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list leases')
    .argument('[filters...]')
    .option('-q, --quiet', 'print only the ids')
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, options: ListOptions, filters: string[]) => {
        const leases = await client.leases.list(filters, { signal })
        const row = ({ id, createdAt, labels }: Lease) => [
          id,
          createdAt.toDate().toISOString(),
          formatLabels(labels),
        ]
        const rows = [['ID', 'CREATED AT', 'LABELS'], ...leases.map(row)]
        printList(
          leases,
          options,
          ({ id }) => id,
          () => renderTable(rows, { minWidth: 1, padding: 1 }),
        )
      }),
    )
}

function createCommand(): Command {
  return new Command('create')
    .description('create a lease and print its id')
    .argument('[labels...]', 'key=value')
    .option('--id <id>', 'id of the lease; a random one by default')
    .addOption(
      new Option('-x, --expires <duration>', 'how long it lasts; 0 for ever')
        .argParser(parseDuration)
        .default(day, '24h'),
    )
    .action(
      withSession(async ({ client, signal }, options: { id?: string; expires: number }, args: string[]) => {
        const labels: Record<string, string> = { ...parseLabels(args) }
        if (options.expires > 0) {
          labels[labelKeys.gcExpire] = new Date(Date.now() + options.expires).toISOString()
        }
        const lease = await client.leases.create({ id: options.id, labels }, { signal })
        print(lease.id)
      }),
    )
}

function deleteCommand(): Command {
  return new Command('delete')
    .aliases(['del', 'remove', 'rm'])
    .description('delete leases')
    .argument('<ids...>')
    .option('--sync', 'wait until what they held has been collected')
    .action(
      withSession(async (session, options: { sync?: boolean }, ids: string[]) => {
        const { client, signal } = session
        for (const [index, id] of ids.entries()) {
          try {
            // One full cycle at the end collects for all of them.
            await client.leases.delete(id, { sync: options.sync && index === ids.length - 1, signal })
          } catch (error) {
            if (!isNotFound(error)) throw error
            complain(`${id}: not found${await whereabouts(session, error)}`)
            continue
          }
          print(id)
        }
      }),
    )
}
