import type { AbortOptions, SnapshotReader } from '@nsbox/core/snapshots'
import { imageChainId } from '@nsbox/images'
import { defaultPlatform } from '@nsbox/oci'
import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { printText } from '../print.ts'
import { renderUsage } from '../snapshot-usage.ts'

/** `images usage <ref>` */
export function imagesUsageCommand(): Command {
  return new Command('usage')
    .description('show what the snapshots of an unpacked image take on the disk, the topmost first')
    .argument('<ref>', 'name of the image')
    .option('--json', 'print JSON')
    .action(
      withSession(async (session, options: { json?: boolean }, ref: string) => {
        const { client, signal } = session
        const { target } = await client.images.get(ref, { signal })
        const chainId = await imageChainId(client.content, target, { platform: defaultPlatform(), signal })
        const { snapshotter } = await chosenSnapshotter(session)
        const keys = await ancestry(snapshotter, chainId, { signal })
        printText(await renderUsage(snapshotter, keys, { ...options, signal }))
      }),
    )
}

/** A snapshot and those that it is based on. @throws `not_found` */
async function ancestry(
  snapshotter: SnapshotReader,
  top: string | undefined,
  options: AbortOptions,
): Promise<string[]> {
  const keys: string[] = []
  for (let key = top; key !== undefined; key = (await snapshotter.stat(key, options)).parent) keys.push(key)
  return keys
}
