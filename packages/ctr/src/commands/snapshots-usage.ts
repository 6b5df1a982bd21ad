import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { printText } from '../print.ts'
import { renderUsage } from '../snapshot-usage.ts'

/** `snapshots usage [<key>…]` */
export function snapshotsUsageCommand(): Command {
  return new Command('usage')
    .description('show what snapshots take on the disk, without their parents')
    .argument('[keys...]', 'all of them by default')
    .option('-b', 'show sizes in bytes')
    .option('--json', 'print JSON')
    .action(
      withSession(async (session, options: { b?: boolean; json?: boolean }, keys: string[]) => {
        const { snapshotter } = await chosenSnapshotter(session)
        const chosen = [...keys]
        if (keys.length === 0) for await (const { name } of snapshotter.list([], session)) chosen.push(name)
        printText(await renderUsage(snapshotter, chosen, { ...options, signal: session.signal }))
      }),
    )
}
