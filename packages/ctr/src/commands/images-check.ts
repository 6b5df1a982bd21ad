import { checkImage, type ImageCheck } from '@nsbox/images'
import { type Descriptor, defaultPlatform, isIndex, isManifest } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatBinarySize } from '../format-size.ts'
import { renderTable } from '../table.ts'

/** `images check [filters]` */
export function imagesCheckCommand(): Command {
  return new Command('check')
    .description('check that the content of images is present for this platform')
    .argument('[filters...]')
    .option('-q, --quiet', 'print only the names of complete images')
    .option('--json', 'print JSON')
    .action(
      withSession(
        async ({ client, signal }, options: { quiet?: boolean; json?: boolean }, filters: string[]) => {
          const checks: Array<{ name: string; mediaType: string; digest: string; check: ImageCheck }> = []
          for (const { name, target } of await client.images.list(filters, { signal })) {
            const check = await checkImage(client.content, target, { platforms: [defaultPlatform()], signal })
            checks.push({ name, mediaType: target.mediaType, digest: target.digest, check })
          }
          if (options.json) {
            console.log(JSON.stringify(checks))
          } else if (options.quiet) {
            for (const { name, check } of checks) if (check.status === 'complete') console.log(name)
          } else {
            const rows = checks.map(({ name, mediaType, digest, check }) => {
              return [name, mediaType, digest, ...describe(check)]
            })
            const header = ['REF', 'TYPE', 'DIGEST', 'STATUS', 'SIZE']
            process.stdout.write(renderTable([header, ...rows], { minWidth: 1, padding: 1 }))
          }
        },
      ),
    )
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
