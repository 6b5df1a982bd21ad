import { chmod, readFile } from 'node:fs/promises'
import type { Server } from 'node:net'
import { basename, join } from 'node:path'
import { runOrThrow, startProcess, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { listenWithin } from './listen-within.ts'
import { openOwnCgroup } from './own-cgroup.ts'

const repository = join(import.meta.dirname, '../../..')

/** Where the checkout is on a private host: a place that all of its users may enter. */
export const checkoutPlace = '/opt/nsbox'

/** Directories that are empty on a private host: what the programs of the host have in them is not to be touched. */
const emptied = ['/run', '/var/lib', '/root', '/home', '/opt', '/srv']

/**
 * Prepares namespaces: empty directories in memory in the place of the host's, a copy of `/etc` that goes with them,
 * cgroups below the one it is started in, and a network that ends at itself.
 */
const prepare = `
set -eu
directory=$1 repository=$2 checkout=$3 hierarchies=$4
shift 4
mount -t proc proc /proc
ip link set lo up
mkdir "$directory/memory"
mount -t tmpfs -o size=1g,mode=0755 memory "$directory/memory"
cd "$directory/memory"
mkdir etc work checkout own
mount -t overlay -o "lowerdir=/etc,upperdir=$PWD/etc,workdir=$PWD/work" etc /etc
# The checkout may be below one of the directories that are to be empty.
mount --bind "$repository" checkout
for each; do
  mount -t tmpfs -o size=1g,mode=0755 empty "$each"
done
chmod 0700 /root
mkdir "$checkout" /run/lock
mount --bind checkout "$checkout"
mknod -m 666 tun c 10 200
mount --bind tun /dev/net/tun
printf '%s\\n' "$hierarchies" | while read -r place type options; do
  umount "$place"
  mount -t "$type" -o "$options" cgroup "$place"
done
echo ready
# The first process takes in those whose parents have ended; a shell that waits does not leave them as zombies.
sleep infinity & wait
`

/** What a private host is made with. */
export interface PrivateHostOptions {
  /** Names of hosts that lead to its loopback address. */
  readonly names?: readonly string[]
  /** A certificate in PEM that its programs trust. */
  readonly authority?: string
}

/**
 * A machine for itself, as far as programs on it can tell: with the host's programs and kernel, but its own processes,
 * network, cgroups, `/etc`, `/run`, `/var/lib` and homes. Its processes end with it, and nothing of them stays.
 */
export interface PrivateHost extends AsyncDisposable {
  /** A directory of the host that is seen at the same place by the private one, too. */
  readonly directory: string
  /** The program and its arguments that start another program there. */
  readonly within: readonly string[]
  /** Listens on a port of its loopback address, for this process; whoever gets the server closes it. */
  listen(port: number): Promise<Server>
}

/** Makes one. Needs root. */
export async function openPrivateHost({
  names = [],
  authority,
}: PrivateHostOptions = {}): Promise<PrivateHost> {
  await using opening = new AsyncDisposableStack()
  const { path: directory } = opening.use(await tempDir('nsbox-documents'))
  await chmod(directory, 0o755)
  const cgroup = opening.use(await openOwnCgroup(basename(directory)))
  const namespaces = ['--cgroup', '--mount', '--net', '--pid', '--uts', '--ipc']
  const unshare = ['unshare', ...namespaces, '--propagation', 'private', '--fork', '--kill-child']
  const parts = [directory, repository, checkoutPlace, cgroup.mounts.join('\n'), ...emptied]
  const [first, ...others] = [...cgroup.within(), ...unshare, 'sh', '-c', prepare, 'sh', ...parts]
  const holder = await startProcess(first!, others, { ready: /ready/ })
  opening.defer(async () => {
    // What only waits for its child heeds no gentler signal; all processes of the namespace end with its first one.
    holder.kill('SIGKILL')
    await holder.exited
  })
  // The first process of the new namespace, whose parent only waits for it.
  const children = `/proc/${holder.pid}/task/${holder.pid}/children`
  const target = (await readFile(children, 'utf8')).trim()
  const within = [...cgroup.within('programs'), 'nsenter', '--target', target, ...namespaces, '--']
  const append = async (file: string, text: string) => {
    const [program, ...args] = [...within, 'tee', '--append', file]
    await runOrThrow(program!, args, { input: text })
  }
  if (names.length > 0) await append('/etc/hosts', `\n127.0.0.1 ${names.join(' ')}\n`)
  if (authority !== undefined) await append('/etc/ssl/certs/ca-certificates.crt', `\n${authority}`)
  const owned = opening.move()
  return {
    directory,
    within,
    listen: (port) => listenWithin(within, port),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
