import type { ContentInfo } from '@nsbox/core/content'
import { isNotFound } from '@nsbox/errors'
import { parseDigest } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatDuration } from '../format-duration.ts'
import { formatLabels } from '../format-labels.ts'
import { formatDecimalSize } from '../format-size.ts'
import { parseLabels } from '../parse-labels.ts'
import { complain, type ListOptions, print, printText } from '../print.ts'
import { renderTable } from '../table.ts'

/** `content ls [filters]` */
export function contentListCommand(): Command {
  return new Command('list')
    .alias('ls')
    .description('list blobs')
    .argument('[filters...]')
    .option('-q, --quiet', 'print only the digests')
    .option('--json', 'print JSON')
    .action(
      withSession(async ({ client, signal }, options: ListOptions, filters: string[]) => {
        const blobs: ContentInfo[] = []
        for await (const info of client.content.list(filters, { signal })) {
          if (options.quiet) print(info.digest)
          else blobs.push(info)
        }
        if (options.json) print(JSON.stringify(blobs))
        else if (!options.quiet) printText(renderBlobs(blobs))
      }),
    )
}

function renderBlobs(blobs: readonly ContentInfo[]): string {
  const now = Date.now()
  const rows = blobs.map(({ digest, size, createdAt, labels }) => [
    digest,
    formatDecimalSize(size),
    formatDuration(now - createdAt.epochMilliseconds),
    formatLabels(labels),
  ])
  return renderTable([['DIGEST', 'SIZE', 'AGE', 'LABELS'], ...rows], { minWidth: 1, padding: 1, tabs: true })
}

/** `content label <digest> [key=value…]` */
export function contentLabelCommand(): Command {
  return new Command('label')
    .description('set labels of a blob and print them all; an empty value deletes the label')
    .argument('<digest>')
    .argument('[labels...]', 'key=value')
    .action(
      withSession(async ({ client, signal }, _options, digest: string, args: string[]) => {
        const merge = parseLabels(args)
        const { labels } = await client.content.update(parseDigest(digest), { merge }, { signal })
        print(formatLabels(labels, ''))
      }),
    )
}

/** `content delete <digest…>` */
export function contentDeleteCommand(): Command {
  return new Command('delete')
    .aliases(['del', 'remove', 'rm'])
    .description('delete blobs')
    .argument('<digests...>')
    .action(
      withSession(async ({ client, signal }, _options, digests: string[]) => {
        let failure: unknown
        for (const digest of digests) {
          try {
            await client.content.delete(parseDigest(digest), { signal })
            print(digest)
          } catch (error) {
            if (!isNotFound(error)) complain(`${digest}: ${(error as Error).message}`)
            failure ??= error
          }
        }
        if (failure !== undefined) throw failure
      }),
    )
}
