import { type Command, Option } from 'commander'

/**
 * Lets every command take the global options after its name as well. No command takes options of those below it:
 * otherwise the option of `ls -a`, run in a container, would be taken for the address of the server. A command gets
 * them when it is the one that is called: for all of them it would take a tenth of the time in which `ctr` starts.
 */
export function shareGlobalOptions(program: Command): Command {
  const shared = program.options.filter(({ long }) => long !== '--version')
  share(program, shared)
  return program
}

function share(command: Command, shared: readonly Option[]): void {
  command.enablePositionalOptions().hook('preSubcommand', (_, called) => {
    for (const option of shared) addUnlessTaken(called, option)
    share(called, shared)
  })
}

function addUnlessTaken(command: Command, { description, flags, long, parseArg, short }: Option): void {
  const taken = new Set(command.options.flatMap((own) => [own.long, own.short]))
  if (taken.has(long)) return
  // The letter may mean something else there.
  const free = short !== undefined && taken.has(short) ? flags.replace(`${short}, `, '') : flags
  const option = new Option(free, description).hideHelp()
  if (parseArg) option.argParser(parseArg)
  command.addOption(option)
}
