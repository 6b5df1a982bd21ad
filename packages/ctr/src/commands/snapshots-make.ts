import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { formatMountCommands, formatMountsJson } from '../format-mounts.ts'
import { gcRootLabel } from '../gc-root-label.ts'
import { printText } from '../print.ts'

const descriptions = {
  prepare: 'make an active snapshot, which can be changed and committed',
  view: 'make a view of a snapshot, which cannot be changed',
}

/** `snapshots prepare|view <key> [<parent>]` */
export function snapshotsMakeCommand(name: 'prepare' | 'view'): Command {
  return new Command(name)
    .description(descriptions[name])
    .argument('<key>')
    .argument('[parent]', 'committed snapshot to base it on; none by default')
    .option('-t, --target <directory>', 'print the commands that mount it there')
    .option('--mounts', 'print its mounts as JSON')
    .action(
      withSession(
        async (
          session,
          options: { target?: string; mounts?: boolean },
          key: string,
          parent: string | undefined,
        ) => {
          const { snapshotter } = await chosenSnapshotter(session)
          const labels = gcRootLabel()
          const mounts = await snapshotter[name](key, parent, { labels, signal: session.signal })
          if (options.target) printText(formatMountCommands(mounts, options.target))
          if (options.mounts) printText(formatMountsJson(mounts))
        },
      ),
    )
}

/** `snapshots commit <key> <active>` */
export function snapshotsCommitCommand(): Command {
  return new Command('commit')
    .description('turn an active snapshot into a committed one')
    .argument('<key>', 'name of the committed snapshot')
    .argument('<active>', 'key of the active one')
    .action(
      withSession(async (session, _options, name: string, key: string) => {
        const { snapshotter } = await chosenSnapshotter(session)
        await snapshotter.commit(name, key, { labels: gcRootLabel(), signal: session.signal })
      }),
    )
}

/** `snapshots delete <key…>` */
export function snapshotsDeleteCommand(): Command {
  return new Command('delete')
    .aliases(['del', 'remove', 'rm'])
    .description('remove snapshots')
    .argument('<keys...>')
    .action(
      withSession(async (session, _options, keys: string[]) => {
        const { snapshotter } = await chosenSnapshotter(session)
        for (const key of keys) {
          try {
            await snapshotter.remove(key, session)
          } catch (error) {
            const { message } = error as Error
            throw new Error(`failed to remove ${JSON.stringify(key)}: ${message}`, { cause: error })
          }
        }
      }),
    )
}
