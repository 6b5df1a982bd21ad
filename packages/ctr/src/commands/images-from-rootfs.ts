import { type Platform, parsePlatform, parseReference } from '@nsbox/oci'
import { Command, InvalidArgumentError } from 'commander'
import { withSession } from '../command-action.ts'
import { type NameOptions, referenceReader } from '../image-names.ts'
import { openArchive } from '../open-archive.ts'
import { parseLabels } from '../parse-labels.ts'
import { print } from '../print.ts'
import { repeated } from '../repeated-option.ts'

interface FromRootfsOptions {
  readonly platform?: Platform
  readonly owner?: { uid: number; gid: number }
  readonly sourceDateEpoch?: Date
  readonly entrypoint?: string[]
  readonly cmd?: string[]
  readonly env?: string[]
  readonly user?: string
  readonly cwd?: string
  readonly label?: string[]
}

/** `images from-rootfs <in> <name>` */
export function imagesFromRootfsCommand(names: NameOptions = {}): Command {
  return new Command('from-rootfs')
    .description('make an image of a root file system and print its digest; needs no privileges')
    .argument(
      '<in>',
      'a directory; a tar archive, plain or compressed by gzip or zstd; - for one on standard input',
    )
    .argument('<name>', 'name of the image', referenceReader(names))
    .option('--platform <platform>', 'what the image runs on; this machine by default', parsePlatform)
    .option('--owner <uid:gid>', 'whom all files belong to; the owners that they have by default', parseOwner)
    .option(
      '--source-date-epoch <seconds>',
      'when the image was made, and the latest time of its files [$SOURCE_DATE_EPOCH]',
      parseEpoch,
    )
    .option(
      '--entrypoint <argument>',
      'program that the image runs; may be given again for its arguments',
      repeated,
    )
    .option(
      '--cmd <argument>',
      'arguments of the program, or the program itself; may be given again',
      repeated,
    )
    .option('--env <name=value>', 'variable of the environment; may be given again', repeated)
    .option('--user <user>', 'user that it runs as, such as 1000:1000')
    .option('--cwd <directory>', 'directory that it runs in')
    .option('--label <key=value>', 'label in the image’s config; may be given again', repeated)
    .action(
      withSession(async ({ client, signal }, options: FromRootfsOptions, from: string, name: string) => {
        parseReference(name)
        // Loaded only here: it brings system calls along.
        const { imageFromRootFilesystem } = await import('@nsbox/images/root-filesystem')
        await using lease = await client.createLease({ signal })
        const { content, images } = lease.client
        const { target } = await imageFromRootFilesystem(await openArchive(from), {
          content,
          images,
          name,
          platform: options.platform,
          owner: options.owner,
          sourceDateEpoch: options.sourceDateEpoch ?? epochFromEnvironment(),
          config: containerDefaults(options),
          signal,
        })
        print(target.digest)
      }),
    )
}

function containerDefaults({
  entrypoint = [],
  cmd = [],
  env = [],
  user,
  cwd,
  label = [],
}: FromRootfsOptions) {
  return { entrypoint, cmd, env, user, workingDir: cwd, labels: parseLabels(label) }
}

function parseOwner(text: string): { uid: number; gid: number } {
  const [, uid, gid] = /^([0-9]{1,10}):([0-9]{1,10})$/.exec(text) ?? []
  const owner = { uid: Number(uid), gid: Number(gid) }
  // The highest number stands for none.
  if (uid === undefined || owner.uid >= 0xffffffff || owner.gid >= 0xffffffff) {
    throw new InvalidArgumentError('an owner is two numbers, such as 0:0')
  }
  return owner
}

/** The latest second that a date can have. */
const maxEpoch = 8_640_000_000_000

function parseEpoch(text: string): Date {
  const seconds = Number(text)
  if (!/^[0-9]+$/.test(text) || seconds > maxEpoch) {
    throw new InvalidArgumentError('a time is a number of seconds since 1970')
  }
  return new Date(seconds * 1000)
}

/** What reproducible builds set (reproducible-builds.org, SOURCE_DATE_EPOCH). */
function epochFromEnvironment(): Date | undefined {
  const { SOURCE_DATE_EPOCH: text } = process.env
  return text ? parseEpoch(text) : undefined
}
