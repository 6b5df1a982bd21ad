import type { Client } from '@nsbox/client'
import type { Image } from '@nsbox/core/images'
import { checkImage, imagePlatforms } from '@nsbox/images'
import { defaultPlatform, formatPlatform } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatLabels } from '../format-labels.ts'
import { formatBinarySize } from '../format-size.ts'
import { type ListOptions, printList } from '../print.ts'
import { renderTable } from '../table.ts'
import { unlessUnreadable } from '../unless-unreadable.ts'

/** `images ls [filters]`; `dist` shows no platforms (docs/behaviour.md §9, §11) */
export function imagesListCommand({ platforms }: { platforms: boolean }): Command {
  return new Command('list')
    .alias('ls')
    .description('list images')
    .argument('[filters...]')
    .option('-q, --quiet', 'print only the names')
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, options: ListOptions, filters: string[]) => {
        const images = await client.images.list(filters, { signal })
        const rows = [['REF', 'TYPE', 'DIGEST', 'SIZE', ...(platforms ? ['PLATFORMS'] : []), 'LABELS', '']]
        if (!options.json && !options.quiet)
          for (const image of images) rows.push(await describe(client, image, { platforms, signal }))
        printList(
          images,
          options,
          ({ name }) => name,
          () => renderTable(rows, { minWidth: 1, padding: 1 }),
        )
      }),
    )
}

async function describe(
  { content }: Client,
  { name, target, labels }: Image,
  { platforms, signal }: { platforms: boolean; signal: AbortSignal },
): Promise<string[]> {
  const read = await unlessUnreadable(name, async () => {
    const { required } = await checkImage(content, target, { platforms: [defaultPlatform()], signal })
    const size = required.reduce((sum, descriptor) => sum + descriptor.size, 0)
    const names = platforms ? (await imagePlatforms(content, target, { signal })).map(formatPlatform) : []
    return { size: formatBinarySize(size), names: [...new Set(names)].sort().join(',') }
  })
  const row = [name, target.mediaType, target.digest, read?.size ?? '-']
  if (platforms) row.push(read?.names || '-')
  return [...row, formatLabels(labels), '']
}
