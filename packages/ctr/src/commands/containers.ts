import { Command } from 'commander'
import { containersDeleteCommand } from './containers-delete.ts'
import { containersInfoCommand, containersSpecCommand } from './containers-info.ts'
import { containersLabelCommand } from './containers-label.ts'
import { containersListCommand } from './containers-list.ts'

/** `containers delete|info|label|ls|spec` */
export function containersCommand(): Command {
  return new Command('containers')
    .aliases(['container', 'c'])
    .description('manage containers')
    .addCommand(containersDeleteCommand())
    .addCommand(containersInfoCommand())
    .addCommand(containersLabelCommand())
    .addCommand(containersListCommand())
    .addCommand(containersSpecCommand())
}
