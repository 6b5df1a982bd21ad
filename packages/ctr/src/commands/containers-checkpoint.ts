import { NsboxError } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { requireId } from '../require-id.ts'

interface CheckpointFlags {
  readonly rw?: boolean
  readonly image?: boolean
  readonly task?: boolean
}

/** `containers checkpoint <container> <ref>` */
export function containersCheckpointCommand(): Command {
  return new Command('checkpoint')
    .description('make an image that a container can be restored from')
    .argument('[container]')
    .argument('[ref]', 'name of the image')
    .option('--rw', 'include the layer that it has on top of its image')
    .option('--image', 'include its image')
    .option('--task', 'include the memory of its task')
    .action(
      withSession(
        async (
          { client, signal },
          flags: CheckpointFlags,
          container: string | undefined,
          ref: string | undefined,
        ) => {
          const { rw = false, image = false, task = false } = flags
          const id = requireId(container)
          await client.container(id).checkpoint(requireRef(ref), { rw, image, task, signal })
        },
      ),
    )
}

/** @throws `invalid_argument` with containerd's words if there is none */
export function requireRef(ref: string | undefined): string {
  if (!ref) throw new NsboxError('invalid_argument', 'ref must be provided')
  return ref
}
