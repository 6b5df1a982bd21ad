import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { formatMountCommands } from '../format-mounts.ts'
import { printText } from '../print.ts'

/** `snapshots mounts <target> <key>` */
export function snapshotsMountsCommand(): Command {
  return new Command('mounts')
    .aliases(['m', 'mount'])
    .description('print the commands that mount a snapshot')
    .argument('<target>', 'directory to mount at')
    .argument('<key>')
    .action(
      withSession(async (session, _options, target: string, key: string) => {
        const { snapshotter } = await chosenSnapshotter(session)
        printText(formatMountCommands(await snapshotter.mounts(key, session), target))
      }),
    )
}
