import { Command } from 'commander'
import { containersInfoCommand, containersSpecCommand } from './containers-info.ts'
import { containersLabelCommand } from './containers-label.ts'
import { containersListCommand } from './containers-list.ts'

/** `containers info|label|ls|spec` */
export function containersCommand(): Command {
  return new Command('containers')
    .aliases(['container', 'c'])
    .description('manage containers')
    .addCommand(containersInfoCommand())
    .addCommand(containersLabelCommand())
    .addCommand(containersListCommand())
    .addCommand(containersSpecCommand())
}
