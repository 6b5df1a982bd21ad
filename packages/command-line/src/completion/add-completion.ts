import { printable } from '@nsbox/errors'
import { Argument, Command } from 'commander'
import { completionScripts, shells } from './completion-scripts.ts'
import { type CompletionOptions, completions } from './completions.ts'
import { shellWords } from './shell-words.ts'

type Shell = (typeof shells)[number]

/** Adds `completion <shell>` to a program, and the hidden command that the shells ask. Both need `parseAsync`. */
export function addCompletion(program: Command, options: CompletionOptions = {}): Command {
  const script = new Command('completion')
    .description('print what makes a shell complete words of the command line')
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(completionScripts[shell](program.name()))
    })
  const answer = new Command('__complete')
    .description('tell a shell what can stand for the last of the words')
    .argument('<shell>')
    .argument('[words...]', 'of bash the line, and the part of its last word that is replaced')
    .action(async (shell: Shell, given: string[]) => {
      const [line = '', replaced = ''] = given
      const words = shell === 'bash' ? shellWords(line).slice(1) : given
      const found = await completions(program, words, options)
      const lines: string[] = [found.kind]
      const kept = shell === 'bash' ? keptBefore(words.at(-1) ?? '', replaced) : 0
      for (const { value, description } of found.kind === 'words' ? found.candidates : [])
        if (shell === 'bash' || description === '') lines.push(printable(value.slice(kept)))
        else lines.push(`${printable(value)}\t${printable(description)}`)
      process.stdout.write(`${lines.join('\n')}\n`)
    })
  return program.addCommand(script).addCommand(answer, { hidden: true })
}

/** bash breaks words at colons and equals signs, and replaces only what follows the last of them. */
function keptBefore(word: string, replaced: string): number {
  return word.endsWith(replaced) ? word.length - replaced.length : 0
}
