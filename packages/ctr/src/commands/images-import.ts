import type { ClientView } from '@nsbox/client'
import { isNotFound, printable } from '@nsbox/errors'
import { type ImageArchive, type ImportSummary, imageChainId, importImages } from '@nsbox/images'
import { type Descriptor, defaultPlatform, type Platform } from '@nsbox/oci'
import { Command } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { openArchive } from '../open-archive.ts'
import { addPlatformOptions, chosenPlatforms, type PlatformOptions } from '../platform-options.ts'
import { complain, printText } from '../print.ts'
import type { Session } from '../session.ts'
import { unpackImage } from '../unpack-image.ts'

interface ImportCommandOptions extends PlatformOptions {
  readonly baseName?: string
  readonly digests?: boolean
  readonly skipDigestForNamed?: boolean
  readonly indexName?: string
  readonly compressBlobs?: boolean
  readonly unpack: boolean
  readonly discardUnpackedLayers?: boolean
}

/** `images import <in>` */
export function imagesImportCommand(): Command {
  const command = new Command('import')
    .description('import images from an archive: an OCI image layout or what docker save writes')
    .argument('<in>', 'a tar archive, plain or compressed by gzip or zstd; a directory; - for standard input')
    .option('--base-name <name>', 'name of what has only a tag; only images of this name are imported then')
    .option('--digests', 'name images by their digests as well')
    .option('--skip-digest-for-named', 'with --digests: but not those that have a name')
    .option('--index-name <name>', 'keep the whole index under this name')
    .option('--no-unpack', 'do not unpack the images')
    .option('--local', 'import from within this process, which is how it is always done')
    .option('--compress-blobs', 'compress the layers of a Docker archive that are not compressed')
    .option('--discard-unpacked-layers', 'let layers be collected once they are unpacked')
    .option('--sync-fs', 'have what is unpacked on the disk; it always is')
  return addPlatformOptions(command).action(
    withSession(async (session, options: ImportCommandOptions, from: string) => {
      checkOptions(options)
      const { client, signal } = session
      await using lease = await client.createLease({ signal })
      const { images, otherPlatforms } = await importUnder(
        lease.client,
        options,
        await openArchive(from),
        signal,
      )
      for (const name of otherPlatforms) complain(`${name}: for other platforms, not imported`)
      if (options.unpack) await unpackAll(session, lease.client, images, options)
    }),
  )
}

function checkOptions({
  digests,
  skipDigestForNamed,
  discardUnpackedLayers,
  unpack,
}: ImportCommandOptions): void {
  if (skipDigestForNamed && !digests) throw new Error('--skip-digest-for-named goes with --digests only')
  if (discardUnpackedLayers && !unpack) {
    throw new Error('--discard-unpacked-layers and --no-unpack exclude each other')
  }
}

function importUnder(
  { content, images }: ClientView,
  options: ImportCommandOptions,
  archive: ImageArchive,
  signal: AbortSignal,
): Promise<ImportSummary> {
  const { baseName, digests, skipDigestForNamed, indexName, compressBlobs, discardUnpackedLayers } = options
  return importImages(archive, {
    content,
    images,
    platforms: chosenPlatforms(options),
    // What containerd's ctr does: a name made up for tags alone must not shut out whole names.
    naming: [
      {
        baseName: baseName ?? `import-${today()}`,
        onlyBaseName: baseName !== undefined,
        digestNames: digests ? (skipDigestForNamed ? 'unnamed' : 'all') : 'none',
      },
    ],
    indexNames: indexName === undefined ? undefined : () => [indexName],
    compressBlobs,
    discardLayers: discardUnpackedLayers,
    signal,
  })
}

/** The day here, as `2026-11-24`. */
function today(): string {
  const now = new Date()
  const part = (number: number) => String(number).padStart(2, '0')
  return `${now.getFullYear()}-${part(now.getMonth() + 1)}-${part(now.getDate())}`
}

async function unpackAll(
  session: Session,
  view: ClientView,
  images: ImportSummary['images'],
  { platform, allPlatforms }: PlatformOptions,
): Promise<void> {
  const { signal } = session
  const { name: snapshotterName } = await chosenSnapshotter(session)
  const platforms = (!allPlatforms && platform) || [defaultPlatform()]
  for (const { name, target } of images) {
    if (await isNoImage(view, target, { platform: platforms[0]!, signal })) continue
    printText(`unpacking ${printable(name)} (${target.digest})...`)
    let outcome = '\n'
    try {
      for (const each of platforms) {
        await unpackImage(view, target, { snapshotterName, platform: each, signal })
      }
      outcome = 'done\n'
    } finally {
      printText(outcome)
    }
  }
}

/** Whether there is nothing to unpack, as of a checkpoint without the image of its container. */
async function isNoImage(
  { content }: ClientView,
  target: Descriptor,
  options: { readonly platform: Platform; readonly signal: AbortSignal },
): Promise<boolean> {
  try {
    return (await imageChainId(content, target, options)) === undefined
  } catch (error) {
    // Unpacking reports what is missing.
    if (isNotFound(error)) return false
    throw error
  }
}
