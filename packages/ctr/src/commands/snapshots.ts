import { Command } from 'commander'
import { snapshotsDiffCommand } from './snapshots-diff.ts'
import { snapshotsInfoCommand, snapshotsLabelCommand } from './snapshots-info.ts'
import { snapshotsListCommand } from './snapshots-list.ts'
import { snapshotsCommitCommand, snapshotsDeleteCommand, snapshotsMakeCommand } from './snapshots-make.ts'
import { snapshotsMountsCommand } from './snapshots-mounts.ts'
import { snapshotsTreeCommand } from './snapshots-tree.ts'
import { snapshotsUnpackCommand } from './snapshots-unpack.ts'
import { snapshotsUsageCommand } from './snapshots-usage.ts'

/** `snapshots commit|delete|diff|info|label|ls|mounts|prepare|tree|unpack|usage|view` */
export function snapshotsCommand(): Command {
  return new Command('snapshots')
    .alias('snapshot')
    .description('manage snapshots')
    .addCommand(snapshotsCommitCommand())
    .addCommand(snapshotsDeleteCommand())
    .addCommand(snapshotsDiffCommand())
    .addCommand(snapshotsInfoCommand())
    .addCommand(snapshotsLabelCommand())
    .addCommand(snapshotsListCommand())
    .addCommand(snapshotsMountsCommand())
    .addCommand(snapshotsMakeCommand('prepare'))
    .addCommand(snapshotsTreeCommand())
    .addCommand(snapshotsUnpackCommand())
    .addCommand(snapshotsUsageCommand())
    .addCommand(snapshotsMakeCommand('view'))
}
