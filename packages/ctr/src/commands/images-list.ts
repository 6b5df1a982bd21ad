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
        const described: DescribedImage[] = []
        const whole = options.json || !options.quiet
        if (whole)
          for (const image of images) described.push(await describe(client, image, { platforms, signal }))
        const header = ['REF', 'TYPE', 'DIGEST', 'SIZE', ...(platforms ? ['PLATFORMS'] : []), 'LABELS', '']
        printList(
          whole ? described : images,
          options,
          ({ name }) => name,
          () => renderTable([header, ...described.map(rowOf)], { minWidth: 1, padding: 1 }),
        )
      }),
    )
}

/** An image with what its documents contain, as far as they can be read. */
interface DescribedImage extends Image {
  /** Bytes of what it has for this platform. */
  readonly size?: number
  /** Without repetitions, in order; absent where they are not shown. */
  readonly platforms?: readonly string[]
}

async function describe(
  { content }: Client,
  image: Image,
  { platforms, signal }: { platforms: boolean; signal: AbortSignal },
): Promise<DescribedImage> {
  const { name, target } = image
  const read = await unlessUnreadable(name, async () => {
    const { required } = await checkImage(content, target, { platforms: [defaultPlatform()], signal })
    const size = required.reduce((sum, descriptor) => sum + descriptor.size, 0)
    if (!platforms) return { size }
    const names = (await imagePlatforms(content, target, { signal })).map(formatPlatform)
    return { size, platforms: [...new Set(names)].sort() }
  })
  return { ...image, ...(platforms && { platforms: [] }), ...read }
}

function rowOf({ name, target, size, platforms, labels }: DescribedImage): string[] {
  return [
    name,
    target.mediaType,
    target.digest,
    size === undefined ? '-' : formatBinarySize(size),
    ...(platforms === undefined ? [] : [platforms.join(',') || '-']),
    formatLabels(labels),
    '',
  ]
}
