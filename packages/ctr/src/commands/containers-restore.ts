import { Command } from 'commander'
import { lazyAction } from '../command-action.ts'
import { addStdioFlags } from '../tasks/stdio-flags.ts'

/** `containers restore <container> <ref>` */
export function containersRestoreCommand(): Command {
  const command = new Command('restore')
    .description(
      'make a container of a checkpoint and run its task, which is waited for if it has a terminal',
    )
    .argument('[container]', 'id of the new container')
    .argument('[ref]', 'name of the checkpoint')
    .option('--rw', 'restore the layer on top of its image')
    .option('--live', 'let its task go on where it was')
    .option('--trusted', 'even if that reaches the host: by mounts, devices, hooks, another runtime, …')
    .option('-d, --detach', 'return at once, even if it has a terminal')
  return addStdioFlags(command, { nullIo: true }).action(
    lazyAction(async () => (await import('../restore-container.ts')).restoreContainer),
  )
}
