import { mkdir, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type Client, connect, type NewTaskOptions, type TaskHandle } from '@nsbox/client'
import { isNotFound } from '@nsbox/errors'
import {
  buildSpec,
  defaultSpec,
  encodeSpec,
  type SpecOption,
  withEnv,
  withProcessArgs,
  withTty,
} from '@nsbox/oci/runtime-spec'
import {
  busyboxRootfs,
  type LeakWatch,
  type RootfsMount,
  removeCgroup,
  tempDir,
  watchLeaks,
} from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { ofProvedRunc, startServer, type TestServer } from './programs.ts'

/** How to make a container of a lab. */
export interface LabTaskOptions extends NewTaskOptions {
  readonly spec?: readonly SpecOption[]
}

/** A server of its own with containers of busybox, driven by our client; all of it ends with the lab. */
export interface TaskLab extends AsyncDisposable {
  readonly server: TestServer
  readonly client: Client
  /** Directory that is the root of all its containers. */
  readonly rootfs: string
  /** Makes a container with a task that has been started. */
  start(id: string, args: readonly string[], options?: LabTaskOptions): Promise<TaskHandle>
  /** Runs a container to its end and deletes it: what it wrote, and how it ended. */
  run(id: string, args: readonly string[]): Promise<{ output: string; exitStatus: number }>
  /** Ends and deletes a container, whatever it does. */
  remove(id: string): Promise<void>
  /** Writes so much that the database's log is folded up, by a thread that is there from then on. */
  growLog(): Promise<void>
  /** As `remove` for all that there are. */
  removeAll(): Promise<void>
  /**
   * Watches the server, its supervisors, its directories and its cgroups.
   * @param processes without which only files, mounts and cgroups count; another build needs other descriptors
   */
  watch(processes?: boolean): Promise<LeakWatch>
  /** The only supervisor. */
  supervisor(): Promise<number>
}

/** @param namespace for it alone; no other test may have the same, since it names a cgroup */
export async function openTaskLab(namespace: string): Promise<TaskLab> {
  await using opening = new AsyncDisposableStack()
  const directory = opening.use(await tempDir('nsbox-lab')).path
  const rootfs: RootfsMount[] = await busyboxRootfs(join(directory, 'rootfs'))
  await mkdir(join(directory, 'rootfs/run'))
  opening.defer(() => removeCgroup(namespace))
  const server = opening.use(await startServer())
  const client = opening.use(connect({ address: server.address, namespace }))
  const fifoDirectory = join(directory, 'fifo')
  await mkdir(fifoDirectory)

  const start: TaskLab['start'] = async (id, args, { spec = [], ...options } = {}) => {
    const wishes = [
      withProcessArgs(args),
      withEnv(['PATH=/bin']),
      ...(options.terminal ? [withTty()] : []),
      ...spec,
    ]
    await client.containers.create({
      id,
      spec: {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/Spec',
        value: encodeSpec(buildSpec(defaultSpec({ id, namespace }), wishes)),
      },
      runtime: { name: 'io.containerd.runc.v2' },
    })
    const task = await client.container(id).createTask({ rootfs, fifoDirectory, ...options })
    await task.start()
    return task
  }
  const remove: TaskLab['remove'] = async (id) => {
    const absent = (error: unknown) => {
      if (!isNotFound(error)) throw error
    }
    const { status } = (await client.tasks.get(id).catch(absent)) ?? {}
    if (status === 'paused') await client.tasks.resume(id)
    if (status !== undefined) {
      if (status !== 'stopped') await client.tasks.kill(id, 9, { all: true }).catch(absent)
      await client.tasks.wait(id).catch(absent)
      await client.tasks.delete(id).catch(absent)
    }
    await client.containers.delete(id).catch(absent)
  }
  const removeAll = async () => {
    for await (const { id } of client.containers.list()) await remove(id)
  }
  // What a failed test has left must not outlive it.
  opening.defer(removeAll)
  const openLogs = async () => {
    const directory = `/proc/${server.process.pid}/fd`
    const targets = (await readdir(directory)).map((fd) => readlink(join(directory, fd)).catch(() => ''))
    return (await Promise.all(targets)).filter((target) => target.endsWith('metadata.db-wal')).length
  }
  const growLog = async () => {
    const before = await openLogs()
    const spec = { typeUrl: 'large', value: new Uint8Array(4 << 20) }
    // Where the thread is there already, nothing changes.
    for (let tries = 0; tries < 20 && (await openLogs()) === before; tries++) {
      await client.containers.create({ id: 'large', spec, runtime: { name: 'none' } })
      await client.containers.delete('large')
      await delay(100)
    }
  }
  const supervisor = async () => {
    const [pid, ...others] = await server.supervisors()
    if (pid === undefined || others.length > 0) throw new Error(`supervisors: ${[pid, ...others]}`)
    return pid
  }
  const owned = opening.move()
  return {
    server,
    client,
    rootfs: join(directory, 'rootfs'),
    start,
    remove,
    removeAll,
    growLog,
    supervisor,
    async run(id, args) {
      await using task = await start(id, args)
      const [output, { exitStatus }] = await Promise.all([text(task.stdout!), task.finished()])
      await task.delete()
      await client.containers.delete(id)
      return { output, exitStatus }
    },
    watch: (processes = true) =>
      watchLeaks({
        directories: [server.state, fifoDirectory],
        lasting: ofProvedRunc,
        anyName: /(?<=\/tasks\/supervisor\/)[0-9a-f]{8}/,
        processes: async () => {
          if (!processes) return {}
          const supervisors = (await server.supervisors()).map((pid, n) => [`supervisor ${n + 1}`, pid])
          return { daemon: server.process.pid, ...Object.fromEntries(supervisors) }
        },
        cgroups: [namespace],
      }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
