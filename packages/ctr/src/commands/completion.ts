import { Argument, Command } from 'commander'
import { completions } from '../completion/completions.ts'
import { objectNames } from '../completion/object-names.ts'
import { completionScripts, shells } from '../completion/scripts.ts'
import { shellWords } from '../completion/shell-words.ts'
import { print, printText } from '../print.ts'

type Shell = (typeof shells)[number]

/** Adds `completion <shell>` to a program, and the hidden command that the shells ask. */
export function addCompletion(program: Command): Command {
  const script = new Command('completion')
    .description('print what makes a shell complete commands, options, files and names of objects')
    .addArgument(new Argument('<shell>').choices(shells))
    .action((shell: Shell) => {
      printText(completionScripts[shell](program.name()))
    })
  const answer = new Command('__complete')
    .description('tell a shell what can stand for the last of the words')
    .argument('<shell>')
    .argument('[words...]', 'of bash the line, and the part of its last word that is replaced')
    .action(async (shell: Shell, given: string[]) => {
      const [line = '', replaced = ''] = given
      const words = shell === 'bash' ? shellWords(line).slice(1) : given
      const found = await completions(program, words, objectNames)
      print(found.kind)
      if (found.kind !== 'words') return
      const kept = shell === 'bash' ? keptBefore(words.at(-1) ?? '', replaced) : 0
      for (const { value, description } of found.candidates)
        if (shell === 'bash' || description === '') print(value.slice(kept))
        else printText(`${value}\t${description}\n`)
    })
  return program.addCommand(script).addCommand(answer, { hidden: true })
}

/** bash breaks words at colons and equals signs, and replaces only what follows the last of them. */
function keptBefore(word: string, replaced: string): number {
  return word.endsWith(replaced) ? word.length - replaced.length : 0
}
