import { Command } from 'commander'
import { containersCheckpointCommand } from './containers-checkpoint.ts'
import { containersCreateCommand } from './containers-create.ts'
import { containersDeleteCommand } from './containers-delete.ts'
import { containersForkCommand } from './containers-fork.ts'
import { containersInfoCommand, containersSpecCommand } from './containers-info.ts'
import { containersLabelCommand } from './containers-label.ts'
import { containersListCommand } from './containers-list.ts'
import { containersRestoreCommand } from './containers-restore.ts'

/** `containers checkpoint|create|delete|fork|info|label|ls|restore|spec` */
export function containersCommand(): Command {
  return new Command('containers')
    .aliases(['container', 'c'])
    .description('manage containers')
    .enablePositionalOptions()
    .addCommand(containersCheckpointCommand())
    .addCommand(containersCreateCommand())
    .addCommand(containersDeleteCommand())
    .addCommand(containersForkCommand())
    .addCommand(containersInfoCommand())
    .addCommand(containersLabelCommand())
    .addCommand(containersListCommand())
    .addCommand(containersRestoreCommand())
    .addCommand(containersSpecCommand())
}
