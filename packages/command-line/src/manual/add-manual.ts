import { printableLines } from '@nsbox/errors'
import { Command } from 'commander'
import { type ManualOptions, manualPage } from './manual-page.ts'

/** Adds `man` to a program, which prints the page that is installed with it. */
export function addManual(program: Command, options: ManualOptions): Command {
  return program.addCommand(
    new Command('man').description('print the manual page, for man -l -').action(() => {
      process.stdout.write(printableLines(manualPage(program, options)))
    }),
  )
}
