import type { SnapshotInfo } from '@nsbox/core/snapshots'
import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { formatLabels } from '../format-labels.ts'
import { parseLabels } from '../parse-labels.ts'
import { print, printText } from '../print.ts'
import { kindName } from '../snapshot-kind.ts'

/** `snapshots info <key>` */
export function snapshotsInfoCommand(): Command {
  return new Command('info')
    .description('show what is known of a snapshot')
    .argument('<key>')
    .action(
      withSession(async (session, _options, key: string) => {
        const { snapshotter } = await chosenSnapshotter(session)
        printText(`${renderInfo(await snapshotter.stat(key, session))}\n`)
      }),
    )
}

/** As containerd's client prints it: labels sorted, and left out if there are none, as the parent is. */
export function renderInfo({ kind, name, parent, labels, createdAt, updatedAt }: SnapshotInfo): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  const document = {
    Kind: kindName(kind),
    Name: name,
    Parent: parent,
    Labels: sorted.length === 0 ? undefined : Object.fromEntries(sorted),
    Created: createdAt,
    Updated: updatedAt,
  }
  return JSON.stringify(document, undefined, 4)
}

/** `snapshots label <name> [key=value…]` */
export function snapshotsLabelCommand(): Command {
  return new Command('label')
    .description('set labels of a snapshot and print them all; an empty value deletes the label')
    .argument('<name>')
    .argument('[labels...]', 'key=value')
    .action(
      withSession(async (session, _options, name: string, args: string[]) => {
        const { snapshotter } = await chosenSnapshotter(session)
        const { labels } = await snapshotter.update(name, { merge: parseLabels(args) }, session)
        print(formatLabels(labels, ''))
      }),
    )
}
