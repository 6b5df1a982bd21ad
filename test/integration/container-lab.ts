import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { listMounts } from '@nsbox/mount'
import {
  busyboxArchive,
  type RunOptions,
  type RunResult,
  removeCgroup,
  run,
  runOrThrow,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { runCommand } from './command-host.ts'
import { program } from './programs.ts'

/** A namespace of a server with an image that runs, for the commands that run containers. */
export interface ContainerLab extends AsyncDisposable {
  readonly address: string
  readonly namespace: string
  /** Name of the image: busybox, the users root and `user`, and the groups `users` and `extra`. */
  readonly image: string
  /** A directory of its own. */
  readonly directory: string
  /** Where our client makes FIFOs, since the options of `ctr` say so. */
  readonly fifos: string
  /** The command line of our `ctr`. */
  command(args: readonly string[]): string[]
  /** Our `ctr`. */
  ctr(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** Debian's `ctr`. */
  stock(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** What is left of containers on the host and in the server, as lines; nothing in a lab that nobody has used. */
  leftovers(): Promise<string[]>
}

const files = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n',
  'etc/group': 'root:x:0:\nusers:x:1000:user\nextra:x:2000:user\n',
}

/**
 * @param address of a server, ours or containerd's
 * @param name of its namespace, together with the number of this process: the namespace names a cgroup
 * @param config of the image
 */
export async function openContainerLab(
  address: string,
  name: string,
  config: Readonly<Record<string, unknown>> = {},
): Promise<ContainerLab> {
  await using opening = new AsyncDisposableStack()
  const namespace = `${name}-${process.pid}`
  const directory = opening.use(await tempDir('nsbox-containers')).path
  const archive = await busyboxArchive(directory, config, files)
  const fifos = join(directory, 'fifo')
  await mkdir(fifos)
  await runOrThrow('/usr/bin/ctr', ['-a', address, '-n', namespace, 'images', 'import', archive.path])
  const stock: ContainerLab['stock'] = (args, options) =>
    run('/usr/bin/ctr', ['-a', address, '-n', namespace, ...args], options)
  const command = (args: readonly string[]) => [program('ctr'), '-a', address, '-n', namespace, ...args]
  const ctr: ContainerLab['ctr'] = (args, options) =>
    runCommand('ctr', ['-a', address, '-n', namespace, ...args], options)
  opening.defer(() => removeCgroup(namespace))
  // Of a server that works, all of this ends with the tests; what a failed one has left must not disturb the others.
  opening.defer(async () => {
    for (const id of lines((await stock(['tasks', 'ls', '-q'])).stdout))
      await stock(['tasks', 'rm', '-f', id])
    for (const id of lines((await stock(['containers', 'ls', '-q'])).stdout))
      await stock(['containers', 'rm', id])
  })
  const leftovers = async () => {
    // For this alone: its connection would count as one that the daemon still has.
    await using client = connect({ address, namespace })
    const cgroups = ['/sys/fs/cgroup', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/unified']
    const groups = cgroups.map((root) => join(root, namespace)).filter((path) => existsSync(path))
    const inside = await Promise.all(groups.map((path) => directoriesIn(path)))
    const mounts = (await listMounts()).filter(({ mountPoint }) => mountPoint.includes(`/${namespace}/`))
    return [
      ...(await client.tasks.list()).map(({ containerId }) => `task ${containerId}`),
      ...(await all(client.containers.list())).map(({ id }) => `container ${id}`),
      ...(await client.leases.list()).map(({ id }) => `lease ${id}`),
      ...(await all(client.snapshotter('overlayfs').list()))
        .filter(({ kind }) => kind !== 'committed')
        .map(({ name }) => `snapshot ${name}`),
      ...(await readdir(fifos)).map((name) => `FIFOs ${name}`),
      ...inside.flat().map((path) => `cgroup ${path}`),
      ...mounts.map(({ mountPoint }) => `mount ${mountPoint}`),
    ]
  }
  const resources = opening.move()
  return {
    address,
    namespace,
    image: archive.name,
    directory,
    fifos,
    command,
    ctr,
    stock,
    leftovers,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

async function directoriesIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name))
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
}
