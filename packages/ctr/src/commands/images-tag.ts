import { isNotFound, undefinedIf } from '@nsbox/errors'
import { parseReference } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { print } from '../print.ts'

/** `images tag <source> <target…>` */
export function imagesTagCommand(): Command {
  return new Command('tag')
    .description('give an image further names')
    .argument('<source>')
    .argument('<targets...>')
    .option('--force', 'take over names that other images have')
    .option('--local', 'tag from within this process, which is how it is always done')
    .option('--skip-reference-check', 'allow names that are no references')
    .action(
      withSession(
        async (
          { client, signal },
          options: { force?: boolean; skipReferenceCheck?: boolean },
          source: string,
          targets: string[],
        ) => {
          const { target, labels } = await client.images.get(source, { signal })
          for (const name of targets) {
            if (!options.skipReferenceCheck) parseReference(name)
            if (options.force) await undefinedIf(isNotFound, client.images.delete(name, { signal }))
            await client.images.create({ name, target, labels }, { signal })
            print(name)
          }
        },
      ),
    )
}
