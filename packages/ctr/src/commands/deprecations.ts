import type { Deprecation } from '@nsbox/client'
import { Command, Option } from 'commander'
import { withSession } from '../command-action.ts'
import { print, printText } from '../print.ts'
import { renderTable } from '../table.ts'

interface DeprecationOptions {
  readonly format: 'default' | 'json'
  readonly json?: boolean
}

/** `deprecations list` */
export function deprecationsCommand(): Command {
  const list = new Command('list')
    .alias('ls')
    .description('list what the server is used or configured for that will not work for ever')
    .addOption(
      new Option('--format <format>', 'how to print it').choices(['default', 'json']).default('default'),
    )
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, { format, json }: DeprecationOptions) => {
        const { deprecations } = await client.introspection.server({ signal })
        if (json || format === 'json') print(JSON.stringify(deprecations))
        else if (deprecations.length > 0) printText(renderDeprecations(deprecations))
      }),
    )
  return new Command('deprecations').description('show what will not work for ever').addCommand(list)
}

function renderDeprecations(deprecations: readonly Deprecation[]): string {
  const rows = deprecations.map(({ id, lastOccurrence, message }) => {
    return [id, lastOccurrence?.toDate().toISOString() ?? '-', message, '']
  })
  return renderTable([['ID', 'LAST OCCURRENCE', 'MESSAGE', ''], ...rows], { minWidth: 1, padding: 1 })
}
