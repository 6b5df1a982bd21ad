import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  buildGoProgram,
  buildImage,
  busyboxLayer,
  filesLayer,
  type Needs,
  pushImage,
  type Registry,
  removeCgroup,
  run,
  startContainerd,
  startRegistry,
  stockCtr,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { differences } from './go-client-differences.ts'
import { startServer } from './programs.ts'

const needs: Needs = {
  root: true,
  linux: true,
  programs: [
    'apt-get',
    'busybox',
    'containerd',
    'criu',
    'docker-registry',
    'dpkg-deb',
    'go',
    'runc',
    'skopeo',
  ],
}

/** What the program tells of a call; `text` is for people. */
interface Step {
  readonly value?: unknown
  readonly error?: string
  readonly text?: string
}

const scenarios = [
  'archives',
  'checkpoints',
  'containers',
  'content',
  'diffs',
  'events',
  'execs',
  'images',
  'introspection',
  'leases',
  'namespaces',
  'pull',
  'push',
  'sandboxes',
  'sharing',
  'snapshots',
  'tasks',
  'transfers',
]

describeWith(needs, "a Go program with containerd's client library", () => {
  const resources = new AsyncDisposableStack()
  let directory: string
  let client: string
  let registry: Registry
  let addresses: Readonly<Record<'containerd' | 'nsbox' | 'sharing', string>>

  beforeAll(async () => {
    directory = resources.use(await tempDir('nsbox-go-client')).path
    client = join(directory, 'go-client')
    const built = buildGoProgram(join(import.meta.dirname, 'go-client'), client)
    registry = resources.use(await startRegistry())
    await pushTestImage()
    const theirs = resources.use(await startContainerd())
    // Of what a scenario has unpacked nothing is found by another, which containerd has nothing like.
    const ours = resources.use(await startServer({ args: ['--content-sharing-policy', 'isolated'] }))
    const sharing = resources.use(await startServer())
    addresses = { containerd: theirs.address, nsbox: ours.address, sharing: sharing.address }
    await built
  }, 1_200_000)
  afterAll(() => resources.disposeAsync())

  async function pushTestImage() {
    const layout = join(directory, 'layout')
    const accounts = filesLayer({
      'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n',
      'etc/group': 'root:x:0:\nusers:x:1000:user\nextra:x:2000:user\n',
    })
    const config = { Env: ['PATH=/bin'], Cmd: ['sh'], Labels: { 'example.label': 'of the image' } }
    const image = await buildImage(layout, [
      { layers: [await busyboxLayer(), accounts], config, platform: { os: 'linux', architecture: 'amd64' } },
      { layers: [filesLayer({ other: 'platform' })], platform: { os: 'linux', architecture: 'arm64' } },
    ])
    await pushImage(image, registry, 'busybox:latest')
  }

  /** The steps of a scenario on a daemon, in a namespace and a directory of their own. */
  async function steps(scenario: string, daemon: 'containerd' | 'nsbox'): Promise<Map<string, Step>> {
    await using scratch = await tempDir(`nsbox-go-${daemon}`)
    // Of this process alone: containerd's shims keep what they know of runc in the same place for all daemons.
    const namespace = `go-${scenario}-${daemon}-${process.pid}`
    const address = addresses[daemon === 'nsbox' && scenario === 'sharing' ? scenario : daemon]
    const args = {
      address,
      namespace,
      registry: registry.host,
      directory: scratch.path,
      scenario,
    }
    const options = Object.entries(args).map(([name, value]) => `-${name}=${value}`)
    const { code, stdout, stderr } = await run(client, options, { timeout: 200_000 })
    if (code !== 0) await endTasks(address, namespace)
    // What it could not go on after is its last step.
    const last = code === 0 ? '' : stdout.trimEnd().split('\n').at(-1)
    expect({ daemon, code, stderr, last }).toEqual({ daemon, code: 0, stderr: '', last: '' })
    await removeCgroup(namespace)
    return stepsOf(stdout.replaceAll(namespace, 'NAMESPACE'))
  }

  it.each(scenarios)(
    'gets the same from both daemons: %s',
    async (scenario) => {
      const [theirs, ours] = await both(steps(scenario, 'containerd'), steps(scenario, 'nsbox'))
      const found: Record<string, unknown> = {}
      for (const step of new Set([...theirs.keys(), ...ours.keys()])) {
        const nsbox = ours.get(step)
        const containerd = withLastEvents(step, theirs.get(step), nsbox)
        if (!isDeepStrictEqual(compared(containerd), compared(nsbox))) found[step] = { containerd, nsbox }
      }
      const known = Object.keys(differences[scenario] ?? {})
      expect(known.filter((step) => !(step in found))).toEqual([])
      for (const step of known) delete found[step]
      expect(found).toEqual({})
    },
    240_000,
  )
})

/** What came of each step, in their order; a step that is told again gets a number. */
function stepsOf(output: string): Map<string, Step> {
  const steps = new Map<string, Step>()
  for (const line of output.trimEnd().split('\n')) {
    const { step, ...result } = JSON.parse(line)
    let name = step
    for (let n = 2; steps.has(name); n++) name = `${step} ${n}`
    steps.set(name, result)
  }
  return steps
}

/**
 * containerd does not wait until the last events of a transfer's progress are delivered, and loses them now and then.
 */
function withLastEvents(name: string, theirs: Step | undefined, ours: Step | undefined): Step | undefined {
  if (!name.endsWith(': events of its progress') || !Array.isArray(theirs?.value)) return theirs
  const isLast = (event: unknown) => event === 'saved' || String(event).startsWith('Completed ')
  const last = Array.isArray(ours?.value) ? ours.value.filter(isLast) : []
  return { ...theirs, value: [...new Set([...theirs.value, ...last])].sort() }
}

function compared(step: Step | undefined) {
  if (step === undefined) return undefined
  const { text: _, ...rest } = step
  return rest
}

/** Waits for both, also where one fails, so that none is left at work. */
async function both<T>(first: Promise<T>, second: Promise<T>): Promise<[T, T]> {
  await Promise.allSettled([first, second])
  return await Promise.all([first, second])
}

/** Ends what a scenario has left that could not go on. */
async function endTasks(address: string, namespace: string): Promise<void> {
  const { stdout } = await stockCtr(address, namespace, ['tasks', 'ls', '-q'])
  for (const id of stdout.split('\n').filter((line) => line !== ''))
    await stockCtr(address, namespace, ['tasks', 'rm', '-f', id])
}
