import { existsSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunResult, removeCgroup, runOrThrow, scratchMount, startProcess } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { type BenchDaemon, benchDaemon } from './bench-daemon.ts'
import type { RowGroup } from './row.ts'
import { timed } from './timed.ts'

/** Of the image that is built, besides the first line of its Dockerfile. */
const steps = 20

/** Builds by the BuildKit in Docker Engine, whose images, layers and containers are the daemon's. */
export const builds: RowGroup = {
  rows: [
    {
      id: 'cached-build',
      what: "BuildKit's build of twenty steps that are all cached",
      unit: 'ms',
      goal: { ratio: 1.1 },
    },
  ],
  async measure(subject, context) {
    const { corpus, scale } = context
    await using daemon = await benchDaemon(subject, context)
    await using engine = await dockerEngine(daemon)
    const directory = join(engine.directory, 'context')
    await mkdir(directory)
    const base = corpus.reference('busybox')
    const lines = Array.from({ length: steps }, (_, n) =>
      n % 2 === 0 ? `COPY file /file-${n}` : `RUN echo ${n} > /made-${n}`,
    )
    await writeFile(join(directory, 'file'), 'of the context\n')
    await writeFile(join(directory, 'Dockerfile'), [`FROM ${base}`, ...lines, ''].join('\n'))
    const build = async () => {
      const flags = ['--network', 'none', '--provenance=false', '--progress', 'plain', '-t', 'built:1']
      const { stderr } = await engine.docker(['build', ...flags, directory])
      return [...stderr.matchAll(/^#\d+ CACHED$/gm)].length
    }
    await build()
    const cached = await build()
    if (cached !== steps) throw new Error(`${subject.name}: ${cached} of ${steps} steps are cached`)
    const values: number[] = []
    for (let index = 0; index < scale.builds; index++) values.push(await timed('cached-build', build))
    return { 'cached-build': values }
  },
}

interface Engine extends AsyncDisposable {
  /** A file system in memory of its own. */
  readonly directory: string
  docker(args: readonly string[]): Promise<RunResult>
}

/** Docker Engine on a daemon, with no network. */
async function dockerEngine({ address }: BenchDaemon): Promise<Engine> {
  await using opening = new AsyncDisposableStack()
  const { path: directory } = opening.use(await scratchMount())
  const cgroup = `nsbox-bench-engine-${process.pid}`
  opening.defer(async () => {
    for (const name of [`${cgroup}/buildkit`, cgroup]) await removeCgroup(name)
  })
  const at = (name: string) => join(directory, name)
  const env = { DOCKER_HOST: `unix://${at('docker.sock')}`, DOCKER_CONFIG: at('client') }
  await mkdir(at('client'))
  const config = {
    features: { 'containerd-snapshotter': true },
    containerd: address,
    hosts: [env.DOCKER_HOST],
    'data-root': at('data'),
    'exec-root': at('exec'),
    pidfile: at('pid'),
    'cgroup-parent': `/${cgroup}`,
    'insecure-registries': ['127.0.0.0/8'],
    bridge: 'none',
    iptables: false,
    ip6tables: false,
    'ip-forward': false,
    'userland-proxy': false,
  }
  await writeFile(at('daemon.json'), JSON.stringify(config))
  // These the engine makes whatever its own directories are; what is not empty is another engine's.
  const made = ['/run/docker/plugins', '/run/docker', '/run/runc'].filter((path) => !existsSync(path))
  opening.defer(async () => {
    for (const path of made) await rmdir(path).catch(() => undefined)
  })
  const args = ['--config-file', at('daemon.json')]
  opening.use(await startProcess('dockerd', args, { ready: /API listen on/, stopTimeout: 20_000 }))
  const stack = opening.move()
  return {
    directory,
    docker: (command) => runOrThrow('docker', command, { env, timeout: 120_000 }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
