import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { addContainerFlags, type ContainerFlags } from '../container/container-flags.ts'
import { refusedOption } from '../refused-option.ts'
import { joinUserNamespaceOfServer } from '../user-namespace.ts'

/** `containers create <image|directory> <container> [program…]` */
export function containersCreateCommand(): Command {
  const command = new Command('create')
    .description('make a container, which tasks start runs')
    .argument('[args...]', 'name of the image or, with --rootfs, a directory; id of the container; program')
    .passThroughOptions()
    .addOption(refusedOption('--pid-file <file>', 'nothing runs yet; tasks start takes --pid-file'))
    .addOption(refusedOption('--no-pivot', 'nothing runs yet; tasks start takes --no-pivot'))
  return addContainerFlags(command).action(
    withSession(async (session, flags: ContainerFlags, args: string[]) => {
      await joinUserNamespaceOfServer(session)
      // Loaded only here: few other commands need so much.
      const { containerRequest } = await import('../container/container-request.ts')
      const { createContainer } = await import('../container/create-container.ts')
      await createContainer(session, containerRequest(flags, args))
    }),
  )
}
