import { Command } from 'commander'
import { containersCreateCommand } from './containers-create.ts'
import { containersDeleteCommand } from './containers-delete.ts'
import { containersForkCommand } from './containers-fork.ts'
import { containersInfoCommand, containersSpecCommand } from './containers-info.ts'
import { containersLabelCommand } from './containers-label.ts'
import { containersListCommand } from './containers-list.ts'

/** `containers create|delete|fork|info|label|ls|spec` */
export function containersCommand(): Command {
  return new Command('containers')
    .aliases(['container', 'c'])
    .description('manage containers')
    .enablePositionalOptions()
    .addCommand(containersCreateCommand())
    .addCommand(containersDeleteCommand())
    .addCommand(containersForkCommand())
    .addCommand(containersInfoCommand())
    .addCommand(containersLabelCommand())
    .addCommand(containersListCommand())
    .addCommand(containersSpecCommand())
}
