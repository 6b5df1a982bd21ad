import { Command, Option } from 'commander'
import { withSession } from '../command-action.ts'
import { formatDuration } from '../format-duration.ts'
import { formatDecimalSize } from '../format-size.ts'
import { parseDuration } from '../global-options.ts'
import { print, printText } from '../print.ts'
import { renderTable } from '../table.ts'

/** `content active [<regexp>]` */
export function contentActiveCommand(): Command {
  return new Command('active')
    .description('list ingests: all, or those whose ref matches a regular expression or a filter')
    .argument('[regexp]')
    .option('--json', 'print JSON')
    .addOption(
      new Option('-t, --timeout <duration>', 'time for the whole command, such as 30s')
        .env('CONTAINERD_FETCH_TIMEOUT')
        .argParser(parseDuration),
    )
    .action(
      withSession(async ({ client, signal }, options: { json?: boolean }, pattern: string | undefined) => {
        const filters = pattern === undefined ? [] : [activeFilter(pattern)]
        const ingests = await client.content.statuses(filters, { signal })
        if (options.json) {
          print(JSON.stringify(ingests))
          return
        }
        const rows = ingests.map(({ ref, offset, startedAt }) => [
          ref,
          formatDecimalSize(offset),
          formatDuration(Date.now() - startedAt.epochMilliseconds),
          '',
        ])
        const header = ['REF', 'SIZE', 'AGE', '']
        printText(renderTable([header, ...rows], { minWidth: 1, padding: 1, tabs: true }))
      }),
    )
}

/** A filter is taken as it is; anything else is a regular expression for the ref (docs/behaviour.md §2). */
export function activeFilter(pattern: string): string {
  return /^ref(==|!=|~=)/.test(pattern) ? pattern : `ref~=${JSON.stringify(pattern)}`
}
