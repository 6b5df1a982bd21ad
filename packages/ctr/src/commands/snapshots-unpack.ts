import { printable } from '@nsbox/errors'
import { parseDigest } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { print, printText } from '../print.ts'
import { imageTarget, unpackTarget } from '../unpack-by-digest.ts'

/** `snapshots unpack <digest>` */
export function snapshotsUnpackCommand(): Command {
  return new Command('unpack')
    .description('unpack an image of the image store')
    .argument('<digest>', 'digest of the image’s target, a manifest or an index')
    .option('--sync-fs', 'have the files of each layer on the disk before the next one; they always are')
    .action(
      withSession(async (session, _options, text: string) => {
        const digest = parseDigest(text)
        const target = await imageTarget(session, digest)
        printText(`unpacking ${digest} (${printable(target.mediaType)})...`)
        try {
          await unpackTarget(session, target)
        } catch (error) {
          printText('\n')
          throw error
        }
        print('done')
      }),
    )
}
