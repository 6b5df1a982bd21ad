import { type Command, Option } from 'commander'

/**
 * Lets every command take the global options after its name as well. No command takes options of those below it:
 * otherwise the option of `ls -a`, run in a container, would be taken for the address of the server.
 */
export function shareGlobalOptions(program: Command): Command {
  const shared = program.options.filter(({ long }) => long !== '--version')
  share(program, shared)
  return program
}

function share(command: Command, shared: readonly Option[]): void {
  command.enablePositionalOptions()
  for (const below of command.commands) {
    for (const option of shared) addUnlessTaken(below, option)
    share(below, shared)
  }
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
