import { Command, InvalidArgumentError } from 'commander'
import { lazyAction } from '../command-action.ts'
import { refusedOption } from '../refused-option.ts'

/** `logs <container>` */
export function logsCommand(): Command {
  return new Command('logs')
    .description('show what a task has written to its log: run or start it with --log-uri file:///PATH')
    .argument('<container>')
    .option('-f, --follow', 'go on with what it writes, until it ends')
    .option('--tail <lines>', 'only the last lines of what is there', parseLines)
    .addOption(
      refusedOption('--since <time>', 'the lines of a log have no times; --tail shows the last ones'),
    )
    .action(lazyAction(async () => (await import('../tasks/show-logs.ts')).showLogs))
}

function parseLines(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('a number of lines is wanted')
  return Number(text)
}
