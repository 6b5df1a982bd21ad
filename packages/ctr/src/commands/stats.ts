import { Command, InvalidArgumentError, Option } from 'commander'
import { lazyAction } from '../command-action.ts'
import { parseDuration } from '../global-options.ts'

/** `stats [containers…]` */
export function statsCommand(): Command {
  return new Command('stats')
    .description('show what running containers use: all of them, or those that are named')
    .argument('[containers...]')
    .option('--no-stream', 'show it once, measured over one interval')
    .addOption(
      new Option('--interval <duration>', 'time between two measurements')
        .argParser(parseInterval)
        .default(1000, '1s'),
    )
    .option('--json', 'print JSON, a line for each measurement')
    .action(lazyAction(async () => (await import('../tasks/show-stats.ts')).showStats))
}

function parseInterval(text: string): number {
  const milliseconds = parseDuration(text)
  if (milliseconds < 100) throw new InvalidArgumentError('at least 100ms')
  return milliseconds
}
