import { isUnimplemented, undefinedIf } from '@nsbox/errors'
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
    .option(
      '--temp',
      'have the server mount the snapshot, and print the commands that bind it; `images unmount` ends it',
    )
    .action(
      withSession(async (session, { temp }: { temp?: boolean }, target: string, key: string) => {
        const { client, signal } = session
        const { snapshotter } = await chosenSnapshotter(session)
        const own = await snapshotter.mounts(key, { signal })
        // Servers without the service leave all of it to the client.
        const mounts = temp
          ? await undefinedIf(
              isUnimplemented,
              client.mounts.activate(target, own, { temporary: true, signal }),
            )
          : own
        printText(formatMountCommands(mounts ?? own, target))
      }),
    )
}
