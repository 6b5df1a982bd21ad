import { type Platform, parsePlatform } from '@nsbox/oci'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { refusedOption } from '../refused-option.ts'
import { repeated } from '../repeated-option.ts'
import { addRuntimeFlags, type RuntimeFlags } from './runtime-flags.ts'

/** What the commands that make a container may be told of it. */
export interface ContainerFlags extends RuntimeFlags {
  readonly allowNewPrivs?: boolean
  readonly annotation?: readonly string[]
  readonly apparmorProfile?: string
  readonly capAdd?: readonly string[]
  readonly capDrop?: readonly string[]
  /** Empty for none. */
  readonly cgroup?: string
  readonly cni?: boolean
  readonly config?: string
  readonly cpuPeriod?: bigint
  readonly cpuQuota?: bigint
  readonly cpuShares: bigint
  readonly cpus?: number
  readonly cpusetCpus?: string
  readonly cpusetMems?: string
  readonly cwd?: string
  readonly device?: readonly string[]
  readonly env?: readonly string[]
  readonly envFile?: readonly string[]
  readonly gidmap?: string
  readonly hostname?: string
  readonly label?: readonly string[]
  readonly memoryLimit?: bigint
  readonly mount?: readonly string[]
  readonly netHost?: boolean
  readonly platform: Platform
  readonly privileged?: boolean
  readonly privilegedWithoutHostDevices?: boolean
  readonly rdtClass?: string
  readonly readOnly?: boolean
  readonly remapLabels?: boolean
  readonly rlimitNofile?: bigint
  readonly rootfs?: boolean
  readonly rootfsPropagation?: string
  readonly sandbox?: string
  readonly seccomp?: boolean
  readonly seccompProfile?: string
  readonly snapshotterLabel?: readonly string[]
  readonly tty?: boolean
  readonly uidmap?: string
  readonly user?: string
  readonly withNs?: readonly string[]
}

/** Adds the options of the commands that make a container. */
export function addContainerFlags(command: Command): Command {
  command
    .option(
      '--snapshotter-label <label>',
      'label of the new snapshot, key=value; may be given again',
      repeated,
    )
    .option('-c, --config <file>', 'take the OCI spec from this file, instead of an image')
    .option('--cwd <directory>', 'working directory of the process')
    .option(
      '--env <variable>',
      'variable of its environment, NAME=value, or NAME to remove; may be given again',
      repeated,
    )
    .option('--env-file <file>', 'file with a variable on each line; may be given again', repeated)
    .option('--label <label>', 'label of the container, key=value; may be given again', repeated)
    .option('--annotation <annotation>', 'annotation of the spec, key=value; may be given again', repeated)
    .option(
      '--mount <mount>',
      'mount, such as type=bind,src=/tmp,dst=/host,options=rbind:ro; may be given again',
      repeated,
    )
    .option('--net-host', 'use the network of the host')
    .option('--cni', 'connect it by the CNI plugins as /etc/cni/net.d says')
    .option('--privileged', 'take away what keeps it from the host')
    .option('--privileged-without-host-devices', 'with --privileged: without the devices of the host')
    .option('--read-only', 'mount its root filesystem read-only')
    .option('--rootfs', 'the image is a directory that is the root filesystem')
    .option(
      '--rootfs-propagation <kind>',
      'how mounts pass between its root filesystem and the host, such as rslave',
    )
    .option('-t, --tty', 'give it a terminal')
    .option('--with-ns <namespace>', 'namespace to join, <type>:<path>; may be given again', repeated)
    .option('--hostname <name>', 'host name')
    .option('-u, --user <user>', 'user and group by name or number, <user>[:<group>]')
    .option('--allow-new-privs', 'let programs gain privileges, as by set-user-ID bits')
    .option(
      '--cap-add <capability>',
      'capability to add, such as CAP_SYS_ADMIN; may be given again',
      repeated,
    )
    .option('--cap-drop <capability>', 'capability to take away; may be given again', repeated)
    .option('--seccomp', 'filter system calls')
    .option('--seccomp-profile <file>', 'with --seccomp: take the filter from this file')
    .option('--apparmor-profile <name>', 'confine it by a profile of AppArmor that is loaded')
    .option('--device <path>', 'device, or directory of devices, of the host; may be given again', repeated)
    .option('--memory-limit <bytes>', 'most memory', bytes)
    .option('--cpus <number>', 'most processors, such as 1.5', number)
    .option('--cpu-quota <microseconds>', 'most processor time in each period', integer)
    .option('--cpu-period <microseconds>', 'length of a period', bytes)
    .addOption(
      new Option('--cpu-shares <shares>', 'weight against others').argParser(bytes).default(1024n, '1024'),
    )
    .option('--cpuset-cpus <list>', 'processors to use, such as 0-2,7')
    .option('--cpuset-mems <list>', 'memory nodes to use')
    .option('--rlimit-nofile <number>', 'most open files', bytes)
    .option('--cgroup <path>', 'path of its cgroup; empty to leave that to the runtime')
    .option('--rdt-class <name>', 'class of the Intel resource director')
    .option('--uidmap <mapping>', 'user ids in a user namespace, <inside>:<outside>:<length>')
    .option('--gidmap <mapping>', 'group ids in a user namespace, <inside>:<outside>:<length>')
    .option('--remap-labels', 'let the snapshotter map the owners of files, by labels')
    .option('--sandbox <id>', 'sandbox that it belongs to')
    .option('--platform <platform>', 'platform of the image', parsePlatform)
  addRuntimeFlags(command)
  for (const [flags, why] of refused) command.addOption(refusedOption(flags, why))
  return command
}

/** Options of stock `ctr` that cannot do here what they do there. */
const refused: readonly [flags: string, why: string][] = [
  ['--gpus <number>', 'it needs a program of NVIDIA that runs between the runtime and the container'],
  ['--blockio-config-file <file>', 'classes of block I/O are not known here'],
  ['--blockio-class <name>', 'classes of block I/O are not known here'],
  ['--apparmor-default-profile <name>', 'no profile is made here; load one and use --apparmor-profile'],
]

function integer(text: string): bigint {
  if (!/^-?\d{1,18}$/.test(text)) throw new InvalidArgumentError('an integer is wanted')
  return BigInt(text)
}

function bytes(text: string): bigint {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('an integer that is not negative is wanted')
  return BigInt(text)
}

function number(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('a number is wanted')
  return Number(text)
}
