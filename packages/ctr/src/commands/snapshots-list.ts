import type { SnapshotInfo } from '@nsbox/core/snapshots'
import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { print, printText } from '../print.ts'
import { kindName } from '../snapshot-kind.ts'
import { renderTable } from '../table.ts'

/** `snapshots ls [filters]` */
export function snapshotsListCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list snapshots')
    .argument('[filters...]')
    .option('--json', 'print JSON')
    .action(
      withSession(async (session, options: { json?: boolean }, filters: string[]) => {
        const { snapshotter } = await chosenSnapshotter(session)
        const snapshots: SnapshotInfo[] = []
        for await (const info of snapshotter.list(filters, session)) snapshots.push(info)
        if (options.json) print(JSON.stringify(snapshots))
        else {
          const rows = snapshots.map(({ name, parent = '', kind }) => [name, parent, kindName(kind), ''])
          printText(renderTable([['KEY', 'PARENT', 'KIND', ''], ...rows], { minWidth: 1, padding: 1 }))
        }
      }),
    )
}
