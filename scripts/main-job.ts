// The main job on real input: pull an image into a namespace, look into its root filesystem, share it with a second
// namespace, run a container of it, and show what happened.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AccessLogEntry,
  buildImage,
  busyboxLayer,
  pushImage,
  type Registry,
  runOrThrow,
  startProcess,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** Root filesystems are unpacked and mounted by root only. */
const canMount = process.platform === 'linux' && process.geteuid?.() === 0
const bin = join(import.meta.dirname, '../node_modules/.bin')

await using resources = new AsyncDisposableStack()
const directory = resources.use(await tempDir('nsbox-start')).path
const address = join(directory, 'nsbox.sock')

say('A server with an empty root')
const serverArgs = [
  '--root',
  join(directory, 'root'),
  '--state',
  join(directory, 'state'),
  '--address',
  address,
]
const server = await startProcess(join(bin, 'nsbox-server'), serverArgs, { ready: /serving/ })
resources.defer(() => server.stop())
console.log(`listens at ${address}`)

const { reference, registry } = await obtainImage()

await show('dist', ['pull', reference])
await show('dist', ['images', 'ls'])
await show('ctr', ['content', 'ls'])
await show('ctr', ['images', 'check'])

if (canMount) {
  say('Its root filesystem')
  await show('ctr', ['snapshots', 'tree'])
  await show('ctr', ['images', 'usage', reference])
  await lookInto('default')
}

say('The same image in a second namespace')
await show('ctr', ['namespaces', 'create', 'second', 'purpose=sharing'])
const [requestsBefore, sizeBefore] = [await requests(), await snapshotsOnDisk()]
await show('dist', ['pull', reference], 'second')
if (registry !== undefined) {
  const seen = (await requests()).slice(requestsBefore.length)
  // The answer to a HEAD request has no body, whatever length the log gives it.
  const bytes = seen.reduce((sum, { method, bytes }) => sum + (method === 'HEAD' ? 0 : bytes), 0)
  console.log(`the registry saw ${seen.length} request and sent ${bytes} bytes`)
}
if (canMount) {
  const size = await snapshotsOnDisk()
  console.log(`the snapshots took ${sizeBefore} KiB of the disk before, and take ${size} KiB now`)
}
await show('ctr', ['namespaces', 'ls'])

say('Removed from the first namespace, whole in the second')
await show('dist', ['images', 'rm', '--sync', reference])
await show('ctr', ['content', 'ls', '-q'])
await show('ctr', ['images', 'check'], 'second')
if (canMount) {
  await show('ctr', ['snapshots', 'ls'])
  await lookInto('second')
}

if (canMount) {
  say('A container of it')
  const script = 'echo "process $$ of $(hostname)"; id; ps'
  await show('ctr', ['run', '--rm', reference, 'first', 'sh', '-c', script], 'second')
  await show('ctr', ['tasks', 'ls'], 'second')
}

/** Mounts the image, runs a program in it, and unmounts it. */
async function lookInto(namespace: string): Promise<void> {
  const target = join(directory, 'rootfs')
  await mkdir(target, { recursive: true })
  await show('ctr', ['images', 'mount', reference, target], namespace)
  try {
    await showRun('ls', [target])
    await showRun('chroot', [target, '/bin/sh', '-c', 'busybox | head -n 1; id'])
  } finally {
    await show('ctr', ['images', 'unmount', '--rm', target], namespace)
  }
}

/** KiB of disk that all snapshots take together. */
async function snapshotsOnDisk(): Promise<number> {
  if (!canMount) return 0
  const { stdout } = await runOrThrow('du', ['-sk', join(directory, 'root/snapshots/overlayfs/snapshots')])
  return Number.parseInt(stdout, 10)
}

async function requests(): Promise<readonly AccessLogEntry[]> {
  return (await registry?.accessLog()) ?? []
}

/** From Docker Hub where the network has it, else from a registry on loopback with an image of Debian's busybox. */
async function obtainImage(): Promise<{ reference: string; registry?: Registry }> {
  try {
    await fetch('https://registry-1.docker.io/v2/', { signal: AbortSignal.timeout(3_000) })
    return { reference: 'docker.io/library/busybox:latest' }
  } catch {
    say('An image of Debian’s busybox in Debian’s docker-registry, since Docker Hub cannot be reached')
  }
  const registry = resources.use(await startRegistry())
  const image = await buildImage(join(directory, 'layout'), { layers: [await busyboxLayer()] })
  const { reference } = await pushImage(image, registry, 'library/busybox:latest')
  console.log(reference)
  return { reference, registry }
}

/** Runs one of our clients and shows the command with its output. */
async function show(program: 'ctr' | 'dist', args: readonly string[], namespace = 'default'): Promise<void> {
  const prefix = namespace === 'default' ? '' : `CONTAINERD_NAMESPACE=${namespace} `
  console.log(`\n$ ${prefix}${program} ${args.join(' ')}`)
  const env = { CONTAINERD_ADDRESS: address, CONTAINERD_NAMESPACE: namespace }
  const { stdout, stderr } = await runOrThrow(join(bin, program), args, { env, timeout: 120_000 })
  process.stdout.write(stdout + stderr)
}

/** Runs a program of the host and shows the command with its output. */
async function showRun(program: string, args: readonly string[]): Promise<void> {
  console.log(`\n$ ${[program, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ')}`)
  process.stdout.write((await runOrThrow(program, args)).stdout)
}

function say(text: string): void {
  console.log(`\n== ${text}`)
}
