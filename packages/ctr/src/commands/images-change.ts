import { isNotFound } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatLabels } from '../format-labels.ts'
import { type NameOptions, storedName } from '../image-names.ts'
import { parseLabels } from '../parse-labels.ts'
import { complain, print } from '../print.ts'
import { whereabouts } from '../whereabouts.ts'

/** `images label <name> [key=value…]`; `set-labels` in `dist` */
export function imagesLabelCommand(name = 'label', names: NameOptions = {}): Command {
  return new Command(name)
    .description('set labels of an image and print them all; an empty value deletes the label')
    .argument('<name>')
    .argument('[labels...]', 'key=value')
    .option('-r, --replace-all', 'make the labels exactly the given ones')
    .action(
      withSession(
        async ({ client, signal }, options: { replaceAll?: boolean }, image: string, args: string[]) => {
          const given = parseLabels(args)
          const stored = await storedName(client, image, { ...names, signal })
          const change = options.replaceAll ? { replace: given } : { merge: given }
          const { labels } = await client.images.update(stored, { labels: change }, { signal })
          print(formatLabels(labels, ''))
        },
      ),
    )
}

/** `images delete <name…>` */
export function imagesDeleteCommand(names: NameOptions = {}): Command {
  return new Command('delete')
    .aliases(['del', 'remove', 'rm'])
    .description('delete images')
    .argument('<names...>')
    .option('--sync', 'wait until what only they held has been collected')
    .action(
      withSession(async (session, options: { sync?: boolean }, images: string[]) => {
        const { client, signal } = session
        let failure: unknown
        for (const [index, given] of images.entries()) {
          const name = await storedName(client, given, { ...names, signal })
          try {
            // One full cycle at the end collects for all of them.
            await client.images.delete(name, { sync: options.sync && index === images.length - 1, signal })
            print(name)
          } catch (error) {
            if (isNotFound(error)) complain(`${name}: image not found${await whereabouts(session, error)}`)
            else
              failure ??= new Error(`unable to delete ${name}: ${(error as Error).message}`, { cause: error })
          }
        }
        if (failure !== undefined) throw failure
      }),
    )
}
