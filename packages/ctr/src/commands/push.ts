import type { Descriptor } from '@nsbox/oci'
import { mediaTypes, type Platform, parseDigest } from '@nsbox/oci'
import { Command } from 'commander'
import { withSession } from '../command-action.ts'
import { type NameOptions, referenceReader, storedName } from '../image-names.ts'
import { requireLocal } from '../local-only.ts'
import { openRegistry } from '../open-remote.ts'
import { parseCount } from '../parse-count.ts'
import { collectPlatforms } from '../platform-options.ts'
import { ProgressView } from '../progress-view.ts'
import {
  addRegistryOptions,
  credentialSource,
  type RegistryOptions,
  requestLog,
} from '../registry-options.ts'
import type { Session } from '../session.ts'

interface PushOptions extends RegistryOptions {
  readonly local?: boolean
  readonly manifest?: string
  readonly manifestType: string
  readonly maxConcurrentUploadedLayers?: number
  readonly platform?: Platform[]
}

/** Options that need a command which talks to the registry itself. */
const localOnly = {
  manifest: '--manifest',
  maxConcurrentUploadedLayers: '--max-concurrent-uploaded-layers',
  skipVerify: '--skip-verify',
  tlscacert: '--tlscacert',
  tlscert: '--tlscert',
  tlskey: '--tlskey',
} as const

/** `push <remote> [<local>]`: the server does the work, or with `--local` this process */
export function pushCommand(names: NameOptions = {}): Command {
  const command = new Command('push')
    .description('push an image')
    .argument('<remote>', 'reference to push to', referenceReader(names))
    .argument('[local]', 'name of the image; that of the remote by default')
    .option(
      '--platform <platform>',
      'push only the manifest of this platform; an index of several if it is given again',
      collectPlatforms,
    )
    .option('--local', 'have this process talk to the registry, not the server')
    .option('--manifest <digest>', 'push what this manifest names instead of an image')
    .option('--manifest-type <type>', 'media type of that manifest', mediaTypes.ociManifest)
    .option('--max-concurrent-uploaded-layers <number>', 'blobs to upload at once', parseCount)
    .option('--allow-non-distributable-blobs', 'push layers of all kinds, which is always done')
  return addRegistryOptions(command).action(
    withSession(async (session, options: PushOptions, remote: string, local: string | undefined) => {
      if (!options.local) requireLocal(options, localOnly)
      const { client, signal } = session
      const name = local === undefined ? remote : await storedName(client, local, { ...names, signal })
      using view = new ProgressView()
      await (options.local ? pushHere : pushThere)(session, options, { remote, name }, view)
    }),
  )
}

/** Where to push to, and what image. */
interface Pushed {
  readonly remote: string
  readonly name: string
}

async function pushThere(
  { client, signal }: Session,
  options: PushOptions,
  { remote, name }: Pushed,
  view: ProgressView,
): Promise<void> {
  await client.push(name, {
    reference: remote,
    platforms: options.platform,
    credentials: await credentialSource(options, { signal }),
    defaultScheme: options.plainHttp ? 'http' : undefined,
    hostsDir: options.hostsDir,
    requestLog: requestLog(options),
    onProgress: (progress) => view.update(progress),
    signal,
  })
}

async function pushHere(
  session: Session,
  options: PushOptions,
  { remote, name }: Pushed,
  view: ProgressView,
): Promise<void> {
  const { client, signal } = session
  const { pushImage } = await import('@nsbox/images')
  const target = await pushedTarget(session, options, name)
  await using registry = await openRegistry(options, { signal })
  await pushImage(target, {
    registry,
    reference: remote,
    content: client.content,
    name,
    platforms: options.platform,
    concurrency: options.maxConcurrentUploadedLayers || undefined,
    onProgress: (progress) => view.update(progress),
    signal,
  })
}

async function pushedTarget(
  { client, signal }: Session,
  { manifest, manifestType }: PushOptions,
  name: string,
): Promise<Descriptor> {
  if (manifest === undefined) return (await client.images.get(name, { signal })).target
  const { digest, size } = await client.content.info(parseDigest(manifest), { signal })
  return { mediaType: manifestType, digest, size }
}
