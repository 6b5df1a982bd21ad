import { parseDigest } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { writeOutput } from '../write-output.ts'

/** `content get <digest…>` */
export function contentGetCommand(): Command {
  return new Command('get')
    .description('write blobs to standard output')
    .argument('<digests...>')
    .action(
      withSession(async ({ client, signal }, _options, digests: string[]) => {
        for (const digest of digests) await writeOutput(client.content.read(parseDigest(digest), { signal }))
      }),
    )
}
