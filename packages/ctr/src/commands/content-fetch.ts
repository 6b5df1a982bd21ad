import { formatReference, parseDigest, parseReference } from '@nsbox/oci'
import { Command, Option } from 'commander'
import { withSession } from '../command-action.ts'
import { fetchObject } from '../fetch-object.ts'
import { type NameOptions, referenceReader } from '../image-names.ts'
import { allMetadataOption, skipMetadataOption } from '../metadata-options.ts'
import { openRegistry, openRemote } from '../open-remote.ts'
import { parseLabels } from '../parse-labels.ts'
import { addPlatformOptions, chosenPlatforms, type PlatformOptions } from '../platform-options.ts'
import { ProgressView } from '../progress-view.ts'
import { pullThrough } from '../pull-through.ts'
import { addRegistryOptions, type RegistryOptions } from '../registry-options.ts'
import { repeated } from '../repeated-option.ts'
import { writeOutput } from '../write-output.ts'

interface FetchFlags {
  readonly allMetadata?: boolean
  readonly label?: string[]
  readonly metadataOnly?: boolean
}

/** `fetch <remote>`: the content of an image, recorded as an image, without unpacking */
export function fetchCommand(names: NameOptions = {}): Command {
  const command = new Command('fetch')
    .description('fetch the content of an image and record it, with this process talking to the registry')
    .argument('<remote>', 'such as docker.io/library/redis:latest', referenceReader(names))
    .argument('[object]', 'tag or digest, if the remote names none')
    .addOption(allMetadataOption())
    .addOption(skipMetadataOption())
    .addOption(
      new Option('--metadata-only', 'fetch manifests and configs of all platforms, and no layers').conflicts([
        'platform',
        'skipMetadata',
      ]),
    )
    .option('--label <label>', 'key=value for the image; may be given again', repeated)
  return addRegistryOptions(addPlatformOptions(command)).action(
    withSession(
      async (
        { client, signal },
        options: RegistryOptions & PlatformOptions & FetchFlags,
        locator: string,
        object: string | undefined,
      ) => {
        await using opened = await openRemote(withObject(locator, object), options, { signal })
        using view = new ProgressView()
        await pullThrough(client, {
          remote: opened.remote,
          platforms: options.metadataOnly ? [] : chosenPlatforms(options),
          allMetadata: options.allMetadata,
          layers: !options.metadataOnly,
          labels: parseLabels(options.label ?? []),
          onProgress: (progress) => view.update(progress),
          signal,
        })
      },
    ),
  )
}

/** `fetch-object <remote> [<object>]`: one manifest or blob, to standard output */
export function fetchObjectCommand(names: NameOptions = {}): Command {
  return addRegistryOptions(
    new Command('fetch-object')
      .description('write a manifest or blob of a repository to standard output')
      .argument('<remote>', 'such as docker.io/library/redis:latest', referenceReader(names))
      .argument('[object]', 'tag or digest; what the remote names by default'),
  ).action(
    withSession(async ({ signal }, options: RegistryOptions, locator: string, object: string | undefined) => {
      await using opened = await openRemote(withObject(locator, object), options, { signal })
      await writeOutput(fetchObject(opened.remote, { signal }))
    }),
  )
}

/** `fetch-blob <remote> <digest…>`: blobs of a repository one after the other, to standard output */
export function fetchBlobCommand(): Command {
  return addRegistryOptions(
    new Command('fetch-blob')
      .description('write blobs of a repository to standard output')
      .argument('<remote>', 'such as docker.io/library/redis:latest')
      .argument('<digests...>')
      .option('--media-type <type>', 'media type to ask for, which tells a manifest from a blob, too'),
  ).action(
    withSession(
      async (
        { signal },
        { mediaType, ...options }: RegistryOptions & { mediaType?: string },
        locator: string,
        digests: string[],
      ) => {
        await using registry = await openRegistry(options, { signal })
        for (const digest of digests.map(parseDigest)) {
          const remote = registry.remote(withObject(locator, digest))
          await writeOutput(fetchObject(remote, { mediaType, signal }))
        }
      },
    ),
  )
}

/** The reference for an object of a repository, a tag or a digest. */
export function withObject(locator: string, object: string | undefined): string {
  if (object === undefined) return locator
  const { host, repository } = parseReference(locator)
  const named = object.includes(':') ? { digest: parseDigest(object) } : { tag: object }
  return formatReference({ host, repository, ...named })
}
