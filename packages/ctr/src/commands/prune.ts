import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatBinarySize } from '../format-size.ts'
import { print } from '../print.ts'

/** `prune [<filter> …]` */
export function pruneCommand(): Command {
  return new Command('prune')
    .description(
      'remove the images of the namespace that no container is of, and all that nothing keeps then',
    )
    .argument('[filter...]', 'remove only images that match one of these filters')
    .option('--dry-run', 'only show what would be removed')
    .option('--json', 'print JSON')
    .action(
      withSession(
        async (
          { client, signal },
          { dryRun = false, json }: { dryRun?: boolean; json?: boolean },
          filters: readonly string[],
        ) => {
          const pruned = await client.disk.prune({ dryRun, filters, signal })
          if (json) return print(JSON.stringify(pruned))
          for (const name of pruned.images) print(`${dryRun ? 'would remove' : 'removed'} image ${name}`)
          const { length } = pruned.collected
          const sum = `${length} ${length === 1 ? 'object' : 'objects'}, ${formatBinarySize(pruned.freed)}`
          print(dryRun ? `would collect ${sum}` : `collected ${sum}`)
        },
      ),
    )
}
