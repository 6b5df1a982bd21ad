import type { DiskUsage } from '@nsbox/core/disk'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatBinarySize } from '../format-size.ts'
import { print, printText } from '../print.ts'
import { renderTable } from '../table.ts'

const layout = { minWidth: 8, padding: 2 }

/** `df` */
export function dfCommand(): Command {
  return new Command('df')
    .description(
      'show what each namespace takes on the disk: UNIQUE is what no other has, UNHELD what nothing keeps',
    )
    .option('--verbose', 'show images and containers as well')
    .option('--json', 'print JSON, with images and containers')
    .action(
      withSession(async ({ client, signal }, { verbose, json }: { verbose?: boolean; json?: boolean }) => {
        const usage = await client.disk.usage({ signal })
        if (json) return print(JSON.stringify(usage))
        printText(namespacesTable(usage))
        if (verbose) printText(`\n${ownersTable(usage)}`)
      }),
    )
}

function namespacesTable({ size, namespaces }: DiskUsage): string {
  const heads = ['NAMESPACE', 'IMAGES', 'CONTAINERS', 'CONTENT', 'SNAPSHOTS', 'INGESTS', 'TOTAL', 'UNIQUE']
  const rows = namespaces.map((one) => [
    ...[one.name, `${one.images.length}`, `${one.containers.length}`],
    ...[one.content, one.snapshots, one.ingests, one.size, one.unique, one.unheld].map(formatBinarySize),
  ])
  const all = ['(all)', '', '', '', '', '', formatBinarySize(size), '', '']
  return renderTable([[...heads, 'UNHELD'], ...rows, all], layout)
}

function ownersTable({ namespaces }: DiskUsage): string {
  const rows = namespaces.flatMap(({ name: namespace, images, containers }) => {
    const row = (kind: string) => (one: (typeof images)[number]) => [
      ...[namespace, kind, one.name],
      ...[one.size, one.unique].map(formatBinarySize),
    ]
    return [...images.map(row('image')), ...containers.map(row('container'))]
  })
  return renderTable([['NAMESPACE', 'KIND', 'NAME', 'SIZE', 'UNIQUE'], ...rows], layout)
}
