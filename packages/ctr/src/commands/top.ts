import { Command } from 'commander'
import { lazyAction } from '../command-action.ts'

/** `top <container>` */
export function topCommand(): Command {
  return new Command('top')
    .description(
      'list the processes of a container with their users, times and commands, as the host has them',
    )
    .argument('<container>')
    .option('--json', 'print JSON')
    .action(lazyAction(async () => (await import('../tasks/show-top.ts')).showTop))
}
