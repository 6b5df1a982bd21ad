import { Command } from 'commander'
import { lazyAction } from '../command-action.ts'
import { addContainerFlags } from '../container/container-flags.ts'
import { addStdioFlags } from '../tasks/stdio-flags.ts'

/** `run <image|directory> <container> [program…]` */
export function runCommand(): Command {
  const command = new Command('run')
    .description('make a container and run its task')
    .argument('[args...]', 'name of the image or, with --rootfs, a directory; id of the container; program')
    .passThroughOptions()
    .option('--rm', 'remove the container after its end')
    .option('-d, --detach', 'leave it running and return at once')
    .option('--pid-file <file>', 'write the id of its first process into this file')
    .option('--checkpoint <ref>', 'let its task go on from this checkpoint, with its files')
    .option('--no-pivot', 'do not swap the root filesystem by pivot_root')
    .option('--sync-fs', 'have what is unpacked on the disk; it always is')
    .option('--dump-config', 'print the OCI spec and make nothing')
  addStdioFlags(addContainerFlags(command), { nullIo: true })
  return command.action(lazyAction(async () => (await import('../run-container.ts')).runContainer))
}
