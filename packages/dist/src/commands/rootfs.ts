import {
  chosenSnapshotter,
  formatMountCommands,
  gcRootLabel,
  imageTarget,
  print,
  printText,
  unpackTarget,
  withSession,
} from '@nsbox/ctr'
import { parseDigest } from '@nsbox/oci'
import { Command } from 'commander'

/** `rootfs unpack|prepare` (docs/behaviour.md §11) */
export function rootfsCommand(): Command {
  return new Command('rootfs')
    .description('make root filesystems of images')
    .addCommand(unpackCommand())
    .addCommand(prepareCommand())
}

function unpackCommand(): Command {
  return new Command('unpack')
    .description('unpack an image of the image store, and print its chain id')
    .argument('<digest>', 'digest of the image’s target, a manifest or an index')
    .action(
      withSession(async (session, _options, digest: string) => {
        const chainId = await unpackTarget(session, await imageTarget(session, parseDigest(digest)))
        if (chainId !== undefined) print(chainId)
      }),
    )
}

function prepareCommand(): Command {
  return new Command('prepare')
    .description('make a root filesystem that can be changed, and print the commands that mount it')
    .argument('<digest>', 'chain id of an unpacked image')
    .argument('<target>', 'directory to mount at; it is the key of the snapshot, too')
    .action(
      withSession(async (session, _options, digest: string, target: string) => {
        const { snapshotter } = await chosenSnapshotter(session)
        const options = { labels: gcRootLabel(), signal: session.signal }
        const mounts = await snapshotter.prepare(target, parseDigest(digest), options)
        printText(formatMountCommands(mounts, target))
      }),
    )
}
