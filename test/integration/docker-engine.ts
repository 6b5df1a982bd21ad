import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, connect } from '@nsbox/client'
import { listMounts } from '@nsbox/mount'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  type PushedImage,
  pushImage,
  type Registry,
  type RunOptions,
  type RunResult,
  removeCgroup,
  run,
  scratchMount,
  startProcess,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest'
import { processesWith, startServer, type TestServer } from './programs.ts'

/** What tests with Docker Engine cannot run without. */
export const engineNeeds = {
  root: true,
  linux: true,
  programs: ['dockerd', 'docker', 'runc', 'docker-registry', 'skopeo', 'busybox'],
} as const

/** As polls in tests have it, which cannot be used outside of them. */
const patience = { timeout: 30_000 }

/** Docker Engine on a server of ours, with directories, a cgroup and a client's configuration of its own. */
export interface EngineLab extends AsyncDisposable {
  readonly server: TestServer
  /** A file system in memory of its own. */
  readonly directory: string
  /** What makes `docker` a client of this engine. */
  readonly env: Readonly<Record<string, string>>
  docker(args: readonly string[], options?: RunOptions): Promise<RunResult>
  /** As `docker` for what must succeed: what it said, without the last line's end. */
  told(args: readonly string[], options?: RunOptions): Promise<string>
  /** Ends the engine at once, as a crash does. */
  kill(): Promise<void>
  /** Starts the engine anew on the same directories, after it was stopped if it runs. */
  restart(): Promise<void>
  /** The server as the engine sees it. */
  readonly client: Client
  /** What is left of containers in the engine, in the server and on the host, as lines. */
  leftovers(): Promise<string[]>
}

export interface EngineOptions {
  /** What its file of configuration says, besides the server and directories of its own. */
  readonly config: Readonly<Record<string, unknown>>
  /** A program and its arguments that start the engine and the server, such as in namespaces of their own. */
  readonly within?: readonly string[]
}

/** Pushes an image of busybox with a file `/etc/motd` to a registry. */
export async function pushBusybox(registry: Registry): Promise<PushedImage> {
  await using layout = await tempDir('nsbox-layout')
  const layers = [await busyboxLayer(), filesLayer({ 'etc/motd': 'hello\n', 'srv/data': 'data\n' })]
  const image = await buildImage(layout.path, { layers, config: { Env: ['PATH=/bin'], Cmd: ['sh'] } })
  return await pushImage(image, registry, 'library/busybox:1')
}

/**
 * Starts a server and an engine on it that leaves the host's network alone.
 *
 * @param options.containerdStore whether images are kept by the server, or by the engine itself
 * @param options.registry what it pulls from and pushes to without TLS
 */
export function openEngineLab({
  containerdStore,
  registry,
}: {
  readonly containerdStore: boolean
  readonly registry: Registry
}): Promise<EngineLab> {
  const config = {
    features: { 'containerd-snapshotter': containerdStore },
    'insecure-registries': [registry.host],
    'live-restore': true,
    bridge: 'none',
    iptables: false,
    ip6tables: false,
    'ip-forward': false,
    'userland-proxy': false,
  }
  return openConfiguredEngine({ config })
}

/** Starts a server and an engine on it. */
export async function openConfiguredEngine({ config, within = [] }: EngineOptions): Promise<EngineLab> {
  await using opening = new AsyncDisposableStack()
  // The engine leaves mounts below its directories, which go with this one.
  const scratch = await scratchMount()
  const directory = scratch.path
  opening.defer(async () => {
    const left = async () => [...(await mountsBelow(directory)), ...(await processesWith(directory))]
    await vi.waitFor(async () => expect(await left()).toEqual([]), patience)
  })
  opening.use(scratch)
  const cgroup = `nsbox-engine-${randomBytes(4).toString('hex')}`
  opening.defer(async () => {
    for (const name of [`${cgroup}/buildkit`, cgroup]) await removeCgroup(name)
  })
  const server = await startServer({ root: join(directory, 'root'), within })
  opening.defer(() => vi.waitFor(async () => expect(await server.supervisors()).toEqual([]), patience))
  opening.use(server)
  const at = (name: string) => join(directory, name)
  const env = { DOCKER_HOST: `unix://${at('docker.sock')}`, DOCKER_CONFIG: at('client') }
  await mkdir(at('client'))
  const own = {
    containerd: server.address,
    hosts: [env.DOCKER_HOST],
    'data-root': at('data'),
    'exec-root': at('exec'),
    pidfile: at('pid'),
    'cgroup-parent': `/${cgroup}`,
  }
  await writeFile(at('daemon.json'), JSON.stringify({ ...config, ...own }))
  const client = opening.use(connect({ address: server.address, namespace: 'moby' }))
  const [program, ...args] = [...within, 'dockerd', '--config-file', at('daemon.json')]
  // These the engine and its builder make whatever their own directories are.
  const made = ['/run/docker/plugins', '/run/docker', '/run/runc'].filter((path) => !existsSync(path))
  opening.defer(async () => {
    // What is not empty, or gone, is another engine's.
    for (const path of made) await rmdir(path).catch(() => undefined)
  })
  const launch = () =>
    startProcess(program!, args, { ready: /API listen on/, readyTimeout: 60_000, stopTimeout: 20_000 })
  let engine = await launch()
  opening.defer(() => engine.stop())

  const docker: EngineLab['docker'] = (command, options) =>
    run('docker', command, { ...options, env: { ...env, ...options?.env } })
  const told: EngineLab['told'] = async (command, options) => {
    const { code, stdout, stderr } = await docker(command, options)
    expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' })
    return stdout.trimEnd()
  }
  const restart = async () => {
    await engine.stop()
    engine = await launch()
  }
  // Of an engine and a server that work nothing is left here; what a failed test has left must not outlive it.
  opening.defer(async () => {
    if ((await server.ctr(['version'])).code !== 0) await server.restart()
    if ((await docker(['version'])).code !== 0) await restart()
    // A swarm would give it its tasks anew.
    await docker(['swarm', 'leave', '--force'])
    const ids = words((await docker(['ps', '-aq'])).stdout)
    if (ids.length > 0) await docker(['rm', '-fv', ...ids])
  })
  const ofEngine = [at('data'), at('exec/netns/default')]
  const owned = opening.move()
  return {
    server,
    directory,
    env,
    docker,
    told,
    kill: async () => {
      engine.kill('SIGKILL')
      await engine.exited
    },
    restart,
    client,
    async leftovers() {
      const [containers, snapshots] = [client.containers.list(), client.snapshotter().list()]
      const mounts = (await mountsBelow(directory)).filter((path) => !ofEngine.includes(path))
      const cgroups = ['/sys/fs/cgroup', '/sys/fs/cgroup/pids'].map((root) => join(root, cgroup))
      const inside = await Promise.all(cgroups.map((path) => directoriesIn(path)))
      return [
        ...words(await told(['ps', '-aq'])).map((id) => `container of the engine ${id}`),
        ...(await collect(containers)).map(({ id }) => `container ${id}`),
        ...(await client.tasks.list()).map(({ containerId }) => `task ${containerId}`),
        ...(await collect(snapshots)).flatMap(({ kind, name }) =>
          kind === 'active' ? [`snapshot ${name}`] : [],
        ),
        ...mounts.map((path) => `mount ${path}`),
        ...inside.flat().map((path) => `cgroup ${path}`),
      ]
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/**
 * One engine for all tests of a suite, with images in the server and one that is pulled; each test must leave nothing.
 * @returns the engine and the image's name, within tests
 */
export function useEngine(): () => { readonly lab: EngineLab; readonly image: string } {
  const resources = new AsyncDisposableStack()
  let used: { readonly lab: EngineLab; readonly image: string }
  beforeAll(async () => {
    const registry = resources.use(await startRegistry())
    const image = (await pushBusybox(registry)).reference
    const lab = resources.use(await openEngineLab({ containerdStore: true, registry }))
    await lab.told(['pull', '-q', image])
    used = { lab, image }
  })
  afterAll(() => resources.disposeAsync())
  afterEach(async () => {
    await expect.poll(() => used.lab.leftovers()).toEqual([])
  })
  return () => used
}

async function mountsBelow(directory: string): Promise<string[]> {
  const points = (await listMounts()).map(({ mountPoint }) => mountPoint)
  return points.filter((path) => path.startsWith(`${directory}/`))
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

async function directoriesIn(path: string): Promise<string[]> {
  if (!existsSync(path)) return []
  const entries = await readdir(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name))
}
