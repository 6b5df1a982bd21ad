import { unusedImages } from '@nsbox/client'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { complain, print } from '../print.ts'

/** `images prune --all` */
export function imagesPruneCommand(): Command {
  return new Command('prune')
    .description('delete images that no container is of')
    .option('--all', 'all of them; without it nothing is deleted')
    .action(
      withSession(async ({ client, signal }, { all }: { all?: boolean }) => {
        if (!all) {
          complain('ctr: no images pruned: images prune requires --all')
          return
        }
        const unused = await unusedImages(client, [], { signal })
        for (const [index, { name, target }] of unused.entries()) {
          // One full cycle at the end collects for all of them. An image that has changed meanwhile is another.
          const sync = index === unused.length - 1
          const deleting = client.images.delete(name, { target, sync, signal })
          await undefinedIf(
            isNotFound,
            deleting.then(() => print(`deleted image: ${name}`)),
          )
        }
      }),
    )
}
