import type { ClientView } from '@nsbox/client'
import type { Mount, Snapshotter } from '@nsbox/core/snapshots'
import { isAlreadyExists, isNotFound, isUnimplemented, NsboxError, undefinedIf } from '@nsbox/errors'
import { labelKeys, type Platform } from '@nsbox/oci'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { Command, Option } from 'commander'
import { chosenSnapshotter } from '../chosen-snapshotter.ts'
import { withSession } from '../command-action.ts'
import { parseDuration } from '../global-options.ts'
import { platformOfMachine } from '../platform-options.ts'
import { print } from '../print.ts'
import { refusedOption } from '../refused-option.ts'
import { unpackImage } from '../unpack-image.ts'
import { joinUserNamespaceOfServer } from '../user-namespace.ts'

const day = 24 * 60 * 60 * 1000

/** Options that stock `ctr` has for commands with a registry, and takes for these without any effect. */
const ofRegistries = [
  ...[
    '-k, --skip-verify',
    '--plain-http',
    '-u, --user <user>',
    '--refresh <token>',
    '--hosts-dir <directory>',
  ],
  ...['--tlscacert <file>', '--tlscert <file>', '--tlskey <file>', '--http-dump', '--http-trace'],
  '--label <label>',
]

function withoutRegistry(command: Command): Command {
  for (const flags of ofRegistries)
    command.addOption(
      refusedOption(flags, `images ${command.name()} talks to no registry and labels nothing`),
    )
  return command
}

/** `images mount <ref> <target>` */
export function imagesMountCommand(): Command {
  return withoutRegistry(new Command('mount'))
    .description('mount the root filesystem of an image, on this host, and print its chain id and the target')
    .argument('<ref>', 'name of the image')
    .argument('<target>', 'directory to mount at; it names the snapshot and the lease that keeps it, too')
    .option('--rw', 'mount an active snapshot, which can be written to')
    .addOption(platformOfMachine('platform to mount'))
    .addOption(
      new Option('-x, --expiration <duration>', 'how long the snapshot is kept; 0 for ever')
        .argParser(parseDuration)
        .default(day, '24h'),
    )
    .option('--sync-fs', 'have the files of each layer on the disk before the next one; they always are')
    .action(
      withSession(
        async (
          session,
          options: { rw?: boolean; platform: Platform; expiration: number },
          ref: string,
          target: string,
        ) => {
          await joinUserNamespaceOfServer(session)
          const { client, signal } = session
          const image = await client.images.get(ref, { signal })
          const { name } = await chosenSnapshotter(session)
          await using undo = new AsyncDisposableStack()
          await openLease(client, { target, snapshotter: name, expiration: options.expiration, undo, signal })
          const leased = client.withLease(target)

          const { chainId } = await unpackImage(leased, image.target, {
            snapshotterName: name,
            platform: options.platform,
            signal,
          })
          if (chainId === undefined) throw new NsboxError('failed_precondition', `image ${ref} has no layers`)
          print(chainId)
          const kind = options.rw ? 'prepare' : 'view'
          const mounts = await openSnapshot(leased.snapshotter(name), kind, {
            key: target,
            chainId,
            undo,
            signal,
          })
          // Loaded only here, and below, since it loads native code.
          const { mountAll } = await import('@nsbox/mount')
          await mountAll(mounts, target, { signal })
          undo.move()
          print(target)
        },
      ),
    )
}

interface Undoable {
  /** Collects the steps that undo what was made. */
  readonly undo: AsyncDisposableStack
  readonly signal: AbortSignal
}

/** Makes the lease that keeps the snapshot, unless there is one from an earlier mount. */
async function openLease(
  { leases }: ClientView,
  {
    target,
    snapshotter,
    expiration,
    undo,
    signal,
  }: Undoable & { target: string; snapshotter: string; expiration: number },
): Promise<void> {
  const labels: Record<string, string> = { [`${labelKeys.gcRefSnapshot}.${snapshotter}`]: target }
  if (expiration > 0) labels[labelKeys.gcExpire] = new Date(Date.now() + expiration).toISOString()
  try {
    await leases.create({ id: target, labels }, { signal })
    undo.defer(() => leases.delete(target))
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
  }
}

/** The mounts of a new snapshot of the image, or of the one that an earlier mount has left. */
async function openSnapshot(
  snapshotter: Snapshotter,
  kind: 'prepare' | 'view',
  { key, chainId, undo, signal }: Undoable & { key: string; chainId: string },
): Promise<Mount[]> {
  try {
    const mounts = await snapshotter[kind](key, chainId, { signal })
    undo.defer(() => snapshotter.remove(key))
    return mounts
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    return await snapshotter.mounts(key, { signal })
  }
}

/** `images unmount <target>` */
export function imagesUnmountCommand(): Command {
  return withoutRegistry(new Command('unmount'))
    .description('unmount what images mount, or the commands of snapshots mounts, have mounted')
    .argument('<target>')
    .option('--rm', 'remove the snapshot afterwards')
    .action(
      withSession(async (session, options: { rm?: boolean }, target: string) => {
        await joinUserNamespaceOfServer(session)
        const { client, signal } = session
        await unmountAll(target, { signal })
        await undefinedIf(isNothingThere, client.mounts.deactivate(target, { signal }))
        if (options.rm) {
          const { snapshotter } = await chosenSnapshotter(session)
          await undefinedIf(isNotFound, client.leases.delete(target, { signal }))
          await undefinedIf(isNotFound, snapshotter.remove(target, { signal }))
        }
        print(target)
      }),
    )
}

/** What is answered for mounts that the server has not made, or by one that makes none. */
const isNothingThere = (error: unknown) => isNotFound(error) || isUnimplemented(error)

/** Unmounts everything that is mounted at a directory, if it exists. */
async function unmountAll(target: string, options: { signal: AbortSignal }): Promise<void> {
  const { isMountPoint, unmount } = await import('@nsbox/mount')
  try {
    while (await isMountPoint(target)) await unmount(target, options)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
