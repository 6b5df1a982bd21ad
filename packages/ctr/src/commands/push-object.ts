import { parseDigest } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { type NameOptions, referenceReader } from '../image-names.ts'
import { openRemote } from '../open-remote.ts'
import { print } from '../print.ts'
import { addRegistryOptions, type RegistryOptions } from '../registry-options.ts'

/** `push-object <remote> <object> <type>`: one blob of the store, to a repository */
export function pushObjectCommand(names: NameOptions = {}): Command {
  return addRegistryOptions(
    new Command('push-object')
      .description('push a manifest or blob of the content store to a repository')
      .argument('<remote>', 'such as docker.io/library/redis:latest', referenceReader(names))
      .argument('<object>', 'digest of the object')
      .argument('<type>', 'media type of the object'),
  ).action(
    withSession(
      async (
        { client, signal },
        options: RegistryOptions,
        reference: string,
        object: string,
        mediaType: string,
      ) => {
        const { digest, size } = await client.content.info(parseDigest(object), { signal })
        await using opened = await openRemote(reference, options, { signal })
        const read = () => client.content.read(digest, { signal })
        await opened.remote.push({ mediaType, digest, size }, read, { signal })
        print(`pushed ${digest} ${mediaType}`)
      },
    ),
  )
}
