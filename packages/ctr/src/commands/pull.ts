import { imageChainId } from '@nsbox/images'
import { defaultPlatform, formatPlatform, type Platform } from '@nsbox/oci'
import { Command } from 'commander'
import { chosenSnapshotter, missingSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { type NameOptions, referenceReader } from '../image-names.ts'
import { requireLocal } from '../local-only.ts'
import { allMetadataOption, skipMetadataOption } from '../metadata-options.ts'
import { openRemote } from '../open-remote.ts'
import { parseCount } from '../parse-count.ts'
import { parseLabels } from '../parse-labels.ts'
import { addPlatformOptions, chosenPlatforms, type PlatformOptions } from '../platform-options.ts'
import { complain, print } from '../print.ts'
import { ProgressView } from '../progress-view.ts'
import { pullThrough } from '../pull-through.ts'
import {
  addRegistryOptions,
  credentialSource,
  type RegistryOptions,
  requestLog,
} from '../registry-options.ts'
import { repeated } from '../repeated-option.ts'
import type { Session } from '../session.ts'

interface PullOptions extends RegistryOptions, PlatformOptions {
  readonly allMetadata?: boolean
  readonly label?: string[]
  readonly local?: boolean
  readonly maxConcurrentDownloads?: number
  readonly printChainid?: boolean
  readonly quiet?: boolean
  readonly unpack: boolean
}

/** Options that need a command which talks to the registry itself. */
const localOnly = {
  maxConcurrentDownloads: '--max-concurrent-downloads',
  skipVerify: '--skip-verify',
  tlscacert: '--tlscacert',
  tlscert: '--tlscert',
  tlskey: '--tlskey',
} as const

/** `pull <ref>`: one Transfer call, with which the server does the work; or, with `--local`, this process does it */
export function pullCommand(names: NameOptions = {}): Command {
  const command = new Command('pull')
    .description('pull an image and unpack it')
    .argument('<ref>', 'such as docker.io/library/redis:latest', referenceReader(names))
    .addOption(allMetadataOption())
    .addOption(skipMetadataOption())
    .option('--no-unpack', 'only fetch the image')
    .option('--label <label>', 'key=value for the image; may be given again', repeated)
    .option('--print-chainid', 'print the chain id as `image chain ID: …`, too')
    .option('--local', 'talk to the registry from this process, and unpack layer by layer')
    .option('--max-concurrent-downloads <number>', 'blobs to download at once, with --local', parseCount)
    .option('--sync-fs', 'have the files of each layer on the disk before the next one; they always are')
    .option('-q, --quiet', 'print only the digest, and what else is asked for')
  return addRegistryOptions(addPlatformOptions(command)).action(
    withSession(async (session, options: PullOptions, reference: string) => {
      const { client, signal } = session
      if (!options.local) requireLocal(options, localOnly)
      const missing = options.unpack ? await missingSnapshotter(session) : undefined
      const unpack = options.unpack && missing === undefined
      {
        using view = options.quiet ? undefined : new ProgressView()
        await (options.local ? pullHere : pullThere)(session, { ...options, unpack }, reference, view)
      }
      const { target } = await client.images.get(reference, { signal })
      print(options.quiet ? target.digest : `${reference} ${target.digest}`)
      if (missing !== undefined)
        complain(
          `not unpacked, since the server does not have the snapshotter ${missing.name}` +
            (missing.reason === undefined ? '' : `: ${missing.reason}`),
        )
      if (!unpack) return
      for (const platform of platformsToUnpack(options)) {
        const chainId = await imageChainId(client.content, target, { platform, signal })
        if (chainId === undefined) continue
        if (!options.quiet) print(`unpacked ${formatPlatform(platform)} ${chainId}`)
        if (options.printChainid) print(`image chain ID: ${chainId}`)
      }
    }),
  )
}

async function pullThere(
  { client, namedSnapshotter, signal }: Session,
  options: PullOptions,
  reference: string,
  view: ProgressView | undefined,
): Promise<void> {
  await client.pull(reference, {
    platforms: chosenPlatforms(options),
    allMetadata: options.allMetadata,
    unpack: options.unpack ? { snapshotter: namedSnapshotter } : undefined,
    labels: parseLabels(options.label ?? []),
    credentials: await credentialSource(options, { signal }),
    defaultScheme: options.plainHttp ? 'http' : undefined,
    hostsDir: options.hostsDir,
    requestLog: requestLog(options),
    onProgress: (progress) => view?.update(progress),
    signal,
  })
}

async function pullHere(
  session: Session,
  options: PullOptions,
  reference: string,
  view: ProgressView | undefined,
): Promise<void> {
  const { client, signal } = session
  const snapshotterName = (await chosenSnapshotter(session)).name
  await using opened = await openRemote(reference, options, { signal })
  await pullThrough(client, {
    remote: opened.remote,
    platforms: chosenPlatforms(options),
    allMetadata: options.allMetadata,
    unpackFor: options.unpack ? { platforms: platformsToUnpack(options), snapshotterName } : undefined,
    labels: parseLabels(options.label ?? []),
    concurrency: options.maxConcurrentDownloads || undefined,
    onProgress: (progress) => view?.update(progress),
    signal,
  })
}

/** The chosen platforms; where all are chosen, this machine's. */
function platformsToUnpack(options: PlatformOptions): Platform[] {
  const platforms = chosenPlatforms(options)
  return platforms.length === 0 ? [defaultPlatform()] : platforms
}
