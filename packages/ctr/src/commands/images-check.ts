import type { ContentReader } from '@nsbox/core/content'
import type { SnapshotReader } from '@nsbox/core/snapshots'
import { isNotFound, undefinedIf } from '@nsbox/errors'
import { checkImage, type ImageCheck, imageChainId } from '@nsbox/images'
import { type Descriptor, defaultPlatform, isIndex, isManifest } from '@nsbox/oci'
import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { formatBinarySize } from '../format-size.ts'
import { type ListOptions, print, printText } from '../print.ts'
import { renderTable } from '../table.ts'
import { unlessUnreadable } from '../unless-unreadable.ts'

interface CheckedImage {
  readonly name: string
  readonly mediaType: string
  readonly digest: string
  readonly check: ImageCheck
  readonly unpacked: boolean
}

const unreadable: ImageCheck = { status: 'unavailable', required: [], present: [], missing: [] }

/** `images check [filters]` */
export function imagesCheckCommand(): Command {
  return new Command('check')
    .description('check that the content of images is present for this platform')
    .argument('[filters...]')
    .option('-q, --quiet', 'print only the names of complete images')
    .option('--json', 'print JSON')
    .action(
      withSession(async (session, options: ListOptions, filters: string[]) => {
        const { client, signal } = session
        const { snapshotter } = await chosenSnapshotter(session)
        const checks: CheckedImage[] = []
        for (const { name, target } of await client.images.list(filters, { signal })) {
          const found = await unlessUnreadable(name, async () => {
            const check = await checkImage(client.content, target, { platforms: [defaultPlatform()], signal })
            const unpacked = await isUnpacked({ content: client.content, snapshotter }, target, signal)
            return { check, unpacked }
          })
          const { mediaType, digest } = target
          checks.push({ name, mediaType, digest, ...(found ?? { check: unreadable, unpacked: false }) })
        }
        if (options.json) {
          print(JSON.stringify(checks))
        } else if (options.quiet) {
          for (const { name, check } of checks) if (check.status === 'complete') print(name)
        } else {
          const rows = checks.map(({ name, mediaType, digest, check, unpacked }) => {
            return [name, mediaType, digest, ...describe(check), `${unpacked}`, '']
          })
          const header = ['REF', 'TYPE', 'DIGEST', 'STATUS', 'SIZE', 'UNPACKED', '']
          printText(renderTable([header, ...rows], { minWidth: 1, padding: 1 }))
        }
      }),
    )
}

/** Whether there is the snapshot of an image for this platform. */
async function isUnpacked(
  { content, snapshotter }: { content: ContentReader; snapshotter: SnapshotReader },
  target: Descriptor,
  signal: AbortSignal,
): Promise<boolean> {
  if (!isIndex(target.mediaType) && !isManifest(target.mediaType)) return false
  // The documents from which the snapshot's name is computed may be missing as well.
  const searching = imageChainId(content, target, { platform: defaultPlatform(), signal })
  const chainId = await undefinedIf(isNotFound, searching)
  if (chainId === undefined) return false
  const found = await undefinedIf(isNotFound, snapshotter.stat(chainId, { signal }))
  return found?.kind === 'committed'
}

/** Status and size; configs and layers count, the documents that lead to them do not. */
function describe(check: ImageCheck): [string, string] {
  const { status } = check
  if (status === 'unavailable') return ['unavailable (0/?)', '0.0 B/?']
  const [required, present] = [check.required, check.present].map((all) =>
    all.filter(({ mediaType }) => !isIndex(mediaType) && !isManifest(mediaType)),
  ) as [Descriptor[], Descriptor[]]
  const bytes = (some: readonly Descriptor[]) => some.reduce((sum, { size }) => sum + size, 0)
  return [
    `${status} (${present.length}/${required.length})`,
    `${formatBinarySize(bytes(present))}/${formatBinarySize(bytes(required))}`,
  ]
}
