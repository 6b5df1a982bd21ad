import { randomBytes } from 'node:crypto'
import { createWriteStream, realpathSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { busyboxLayer, type RunResult, run, runOrThrow, type TarEntry, tar, tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import {
  bindMount,
  buildSpec,
  defaultSpec,
  encodeSpec,
  type SpecOption,
  withCgroup,
  withDefaultUnixDevices,
  withEnv,
  withMounts,
  withProcessArgs,
  withRootfs,
} from '../runtime-spec/index.ts'

export const nobody = 65_534

/** A root file system, and runc to run containers from it. */
export interface Bundles extends AsyncDisposable {
  /** The root file system of busybox. */
  readonly rootfs: string
  /** Runs a container to its end. */
  run(args: readonly string[], options?: readonly SpecOption[]): Promise<RunResult>
  /** The same, by the user and group `nobody` has. */
  runAsNobody(args: readonly string[], options?: readonly SpecOption[]): Promise<RunResult>
  /** Makes a container, without starting it, looks at it, and deletes it. */
  create(options: readonly SpecOption[], look: (cgroup: string) => Promise<void>): Promise<void>
}

/** @param added entries of the root file system beside busybox */
export async function makeBundles(added: readonly TarEntry[] = []): Promise<Bundles> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await tempDir('nsbox-runc')).path
  // Users that a container is mapped to must be able to reach it.
  await chmod(directory, 0o755)
  const rootfs = join(directory, 'rootfs')
  const root = join(directory, 'state')
  await mkdir(rootfs)
  const archive = join(directory, 'rootfs.tar')
  const { entries } = await busyboxLayer()
  await pipeline(tar([...entries, ...added]), createWriteStream(archive))
  await runOrThrow('tar', ['-C', rootfs, '-xpf', archive])

  async function bundle(options: readonly SpecOption[]): Promise<{ id: string; path: string }> {
    const id = `nsbox-oci-${randomBytes(6).toString('hex')}`
    const path = await mkdtemp(join(directory, 'bundle-'))
    const spec = buildSpec(defaultSpec({ namespace: 'test', id }), [
      withDefaultUnixDevices(),
      withRootfs(rootfs),
      withCgroup(`/${id}`),
      withEnv(['PATH=/bin:/usr/bin']),
      ...options,
    ])
    await writeFile(join(path, 'config.json'), encodeSpec(spec))
    return { id, path }
  }

  const runc = (...args: readonly string[]): Promise<RunResult> => run('runc', ['--root', root, ...args])
  const owned = stack.move()
  return {
    rootfs,
    async run(args, options = []) {
      const { id, path } = await bundle([withProcessArgs(args), ...options])
      try {
        return await runc('run', '--bundle', path, id)
      } finally {
        await runc('delete', '--force', id)
      }
    },
    async runAsNobody(args, options = []) {
      const { id, path } = await bundle([withProcessArgs(args), ...options])
      const state = join(path, 'state')
      await mkdir(state)
      for (const each of [path, state]) await chown(each, nobody, nobody)
      const ids = [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--']
      const command = ['runc', '--root', state, 'run', '--bundle', path, id]
      // runc takes the directory in which it keeps a user's things from the environment.
      return run('setpriv', [...ids, ...command], { env: { XDG_RUNTIME_DIR: path } })
    },
    async create(options, look) {
      const { id, path } = await bundle([withProcessArgs(['true']), ...options])
      try {
        // Its pipes would stay open as long as the container.
        const args = ['-c', 'exec "$@" </dev/null >/dev/null 2>&1', 'sh', 'runc', '--root', root]
        await runOrThrow('sh', [...args, 'create', '--bundle', path, id])
        await look(id)
      } finally {
        await runc('delete', '--force', id)
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** What lets the programs of this Debian system run in a container: its `/usr` and `/etc`, read-only. */
export async function withHostPrograms(rootfs: string): Promise<SpecOption> {
  const directories = ['/usr', '/etc', dirname(dirname(realpathSync(process.execPath)))]
  for (const link of ['lib', 'lib64']) await symlink(`usr/${link}`, join(rootfs, link))
  const mounted = withMounts([...new Set(directories)].map((path) => bindMount(path, path)))
  const found = withEnv(['PATH=/usr/bin:/usr/sbin:/bin'])
  return (spec) => found(mounted(spec))
}
