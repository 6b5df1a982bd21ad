import type { Descriptor } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { formatLabels } from '../format-labels.ts'
import { formatBinarySize } from '../format-size.ts'
import { type NameOptions, referenceReader } from '../image-names.ts'
import { openRemote } from '../open-remote.ts'
import { type ListOptions, printList } from '../print.ts'
import { addRegistryOptions, type RegistryOptions } from '../registry-options.ts'
import { renderTable } from '../table.ts'

interface ReferrersOptions extends RegistryOptions, ListOptions {
  readonly artifactType?: string
}

/** `referrers <remote>`: what a repository has that refers to a manifest of it */
export function referrersCommand(names: NameOptions = {}): Command {
  const command = new Command('referrers')
    .description('list the signatures and other artifacts that refer to an image of a repository')
    .argument('<remote>', 'such as docker.io/library/redis:latest', referenceReader(names))
    .option('--artifact-type <type>', 'list only those of this type')
    .option('-q, --quiet', 'print only the digests')
    .option('--json', 'print JSON')
  return addRegistryOptions(command).action(
    withSession(async ({ signal }, options: ReferrersOptions, reference: string) => {
      await using opened = await openRemote(reference, options, { signal })
      const { digest } = await opened.remote.resolve({ signal })
      const { artifactType } = options
      const found = await opened.remote.referrers(digest, { artifactType, signal })
      printList(
        found,
        options,
        (referrer) => referrer.digest,
        () => renderTable([header, ...found.map(rowOf)], { minWidth: 1, padding: 1 }),
      )
    }),
  )
}

const header = ['DIGEST', 'TYPE', 'ARTIFACT', 'SIZE', 'ANNOTATIONS']

function rowOf({ digest, mediaType, artifactType, size, annotations = {} }: Descriptor): string[] {
  return [digest, mediaType, artifactType ?? '-', formatBinarySize(size), formatLabels(annotations)]
}
