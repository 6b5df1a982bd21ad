import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatLabels } from '../format-labels.ts'
import { parseLabels } from '../parse-labels.ts'
import { print } from '../print.ts'

/** `containers label <container> [key=value…]` */
export function containersLabelCommand(): Command {
  return new Command('label')
    .description('set labels of a container and print them all; an empty value deletes the label')
    .argument('<container>')
    .argument('[labels...]', 'key=value; a key alone is set to true')
    .action(
      withSession(async ({ client, signal }, _options, id: string, args: string[]) => {
        const given = parseLabels(args, { missing: 'true' })
        const paths = Object.keys(given).map((key) => `labels.${key}`)
        const found = await client.containers.get(id, { signal })
        const { labels } =
          paths.length === 0
            ? found
            : await client.containers.update({ id, labels: given }, paths, { signal })
        print(formatLabels(labels, ''))
      }),
    )
}
