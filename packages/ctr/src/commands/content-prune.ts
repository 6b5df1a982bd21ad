import type { ContentInfo } from '@nsbox/core/content'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { print } from '../print.ts'

/** References to layers, of today and of the first versions; those to configs and manifests have other letters. */
const layerReference = /^containerd\.io\/gc\.ref\.content\.(?:l\.)?\d+$/

/** `content prune references` */
export function contentPruneCommand(): Command {
  const references = new Command('references')
    .description('let go of the layers of images, which are needed no more once they are unpacked')
    .option('--async', 'do not wait until they have been collected')
    .option('--dry', 'only print what would be changed')
    .action(
      withSession(async ({ client, signal }, { async, dry }: { async?: boolean; dry?: boolean }) => {
        const holders: { readonly digest: ContentInfo['digest']; readonly keys: string[] }[] = []
        for await (const { digest, labels } of client.content.list([], { signal })) {
          const keys = Object.keys(labels).filter((key) => layerReference.test(key))
          if (keys.length > 0) holders.push({ digest, keys })
        }
        for (const { digest, keys } of holders) {
          if (!dry) {
            const merge = Object.fromEntries(keys.map((key) => [key, '']))
            // A blob that is gone has no references.
            await undefinedIf(isNotFound, client.content.update(digest, { merge }, { signal }))
          }
          for (const key of keys) print(`${digest} ${key}`)
        }
        if (dry || async) return
        await client.disk.collect({ signal })
      }),
    )
  return new Command('prune').description('remove what is needed no more').addCommand(references)
}
