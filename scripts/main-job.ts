// The main job on real input: pull an image into a namespace, share it with a second one, and show what happened.
import { join } from 'node:path'
import {
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

say('The same image in a second namespace')
await show('ctr', ['namespaces', 'create', 'second', 'purpose=sharing'])
const before = (await registry?.accessLog())?.length ?? 0
await show('dist', ['pull', reference], 'second')
if (registry !== undefined) {
  const requests = (await registry.accessLog()).slice(before)
  // The answer to a HEAD request has no body, whatever length the log gives it.
  const bytes = requests.reduce((sum, { method, bytes }) => sum + (method === 'HEAD' ? 0 : bytes), 0)
  console.log(`the registry saw ${requests.length} request and sent ${bytes} bytes`)
}
await show('ctr', ['namespaces', 'ls'])

say('Removed from the first namespace, whole in the second')
await show('dist', ['images', 'rm', '--sync', reference])
await show('ctr', ['content', 'ls', '-q'])
await show('ctr', ['images', 'check'], 'second')

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
  console.log(
    `\n$ ${namespace === 'default' ? '' : `CONTAINERD_NAMESPACE=${namespace} `}${program} ${args.join(' ')}`,
  )
  const { stdout } = await runOrThrow(join(bin, program), args, {
    env: { CONTAINERD_ADDRESS: address, CONTAINERD_NAMESPACE: namespace },
    timeout: 120_000,
  })
  process.stdout.write(stdout)
}

function say(text: string): void {
  console.log(`\n== ${text}`)
}
