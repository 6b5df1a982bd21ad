import { Command } from 'commander'
import { manualPage } from '../manual/manual-page.ts'
import { printText } from '../print.ts'
import { version } from '../version.ts'

/** Adds `man` to a program, which prints the page that is installed with it. */
export function addManual(program: Command): Command {
  return program.addCommand(
    new Command('man')
      .description('print the manual page, for man -l -')
      .action(() => printText(manualPage(program, version))),
  )
}
