import { once } from 'node:events'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { errorCode } from '@nsbox/errors'
import {
  busyboxArchive,
  type Containerd,
  removeCgroup,
  runOrThrow,
  startContainerd,
  stockCtr,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { Timestamp } from '@nsbox/time'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, connect } from './client.ts'
import type { NewTaskOptions } from './containers/container-handle.ts'
import type { TaskHandle } from './task/task-handle.ts'

describeWith({ root: true, programs: ['containerd', 'runc'] }, 'tasks of containerd', () => {
  const resources = new AsyncDisposableStack()
  let containerd: Containerd
  let client: Client
  let image: string
  let fifoDirectory: string
  let made = 0

  beforeAll(async () => {
    const { path } = resources.use(await tempDir('nsbox-client-tasks'))
    containerd = resources.use(await startContainerd())
    resources.defer(() => removeCgroup('client-tasks'))
    const archive = await busyboxArchive(path)
    image = archive.name
    await stock(['images', 'import', archive.path])
    client = resources.use(connect({ address: containerd.address, namespace: 'client-tasks' }))
    fifoDirectory = join(path, 'fifo')
    await mkdir(fifoDirectory)
  })
  afterAll(() => resources.disposeAsync())

  async function stock(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await stockCtr(containerd.address, 'client-tasks', args)
    expect([code, stderr]).toEqual([0, ''])
    return stdout
  }

  /** A task that is gone at the end of the block, with its container. */
  async function task(
    args: readonly string[],
    options: NewTaskOptions & { create?: readonly string[] } = {},
  ): Promise<{ task: TaskHandle } & AsyncDisposable> {
    made += 1
    const id = `c${made}`
    await stock(['containers', 'create', ...(options.create ?? []), image, id, ...args])
    const created = await client.container(id).createTask({ fifoDirectory, ...options })
    return {
      task: created,
      [Symbol.asyncDispose]: async () => {
        await created[Symbol.asyncDispose]()
        await runOrThrow('/usr/bin/ctr', [
          ...['-a', containerd.address, '-n', 'client-tasks', 'tasks', 'rm', '-f', id],
        ]).catch(() => undefined)
        await stock(['containers', 'rm', id])
      },
    }
  }

  test('a process writes to two streams, and its exit status comes even if it ends at once', async () => {
    await using running = await task(['sh', '-c', 'echo out; echo err >&2; exit 7'])
    const { stdout, stderr, exit } = running.task
    expect(await running.task.status()).toMatchObject({ status: 'created', terminal: false })
    const outputs = Promise.all([text(stdout!), text(stderr!)])
    const { pid } = await running.task.start()
    expect(pid).toBe(running.task.pid)
    expect(await outputs).toEqual(['out\n', 'err\n'])
    expect(await exit).toMatchObject({ exitStatus: 7, exitedAt: expect.any(Timestamp) })
    expect(await running.task.delete()).toMatchObject({ exitStatus: 7 })
    expect(await readdir(fifoDirectory)).toEqual([])
  })

  test('input is written as a stream, and its end ends the input', async () => {
    await using running = await task(['wc', '-c'], { stdin: true })
    const counted = text(running.task.stdout!)
    await running.task.start()
    const { stdin } = running.task
    // More than a FIFO holds.
    for (let n = 0; n < 40; n++) if (!stdin!.write(Buffer.alloc(10_000))) await once(stdin!, 'drain')
    stdin!.end()
    expect((await counted).trim()).toBe('400000')
    expect(await running.task.finished()).toMatchObject({ exitStatus: 0 })
    await running.task.delete()
  })

  test('input that has ended before the start is there all the same', async () => {
    await using running = await task(['cat'], { stdin: true })
    running.task.stdin!.end('early\n')
    await running.task.start()
    expect(await text(running.task.stdout!)).toBe('early\n')
    await running.task.finished()
    await running.task.delete()
  })

  test('output that nobody reads is thrown away at the end', async () => {
    await using running = await task(['sh', '-c', 'echo unread'])
    await running.task.start()
    await running.task.finished()
    await running.task.delete()
    expect(await readdir(fifoDirectory)).toEqual([])
  })

  test('output is an async iterable that holds the process back', async () => {
    await using running = await task(['sh', '-c', 'head -c 3000000 /dev/zero'])
    await running.task.start()
    let bytes = 0
    for await (const chunk of running.task.stdout!) bytes += (chunk as Uint8Array).byteLength
    expect(bytes).toBe(3_000_000)
    await running.task.finished()
    await running.task.delete()
  })

  test('other processes run beside the first one, each with its own streams and exit status', async () => {
    await using running = await task(['sleep', '1000'], { output: 'ignore' })
    expect(running.task.stdout).toBeUndefined()
    await running.task.start()
    const runs = Array.from({ length: 8 }, async (_, n) => {
      const process = await running.task.exec({
        args: ['sh', '-c', 'echo $N; pwd; cat >&2; exit $N'],
        env: [`N=${n}`],
        cwd: '/tmp',
        stdin: true,
        fifoDirectory,
      })
      const outputs = Promise.all([text(process.stdout!), text(process.stderr!)])
      expect(process.pid).toBe(0)
      await process.start()
      process.stdin!.end(`input ${n}`)
      expect(await outputs).toEqual([`${n}\n/tmp\n`, `input ${n}`])
      const { exitStatus } = await process.exit
      await process.delete()
      return exitStatus
    })
    expect(await Promise.all(runs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(await readdir(fifoDirectory)).toEqual([])
    await running.task.kill('KILL')
    expect(await running.task.exit).toMatchObject({ exitStatus: 137 })
  })

  test('a terminal has one output and a size', async () => {
    await using running = await task(['sh', '-c', 'read line; stty size; exit 3'], {
      create: ['--tty'],
      stdin: true,
    })
    expect([running.task.terminal, running.task.stderr]).toEqual([true, undefined])
    const output = text(running.task.stdout!)
    await running.task.start()
    await running.task.resize({ width: 101, height: 37 })
    running.task.stdin!.write('\n')
    expect(await output).toContain('37 101')
    expect(await running.task.finished()).toMatchObject({ exitStatus: 3 })
    await running.task.delete()
  })

  test('tasks are paused, listed, measured and changed', async () => {
    await using running = await task(['sleep', '1000'], { output: 'ignore' })
    await running.task.start()
    const { containerId: id, pid } = running.task
    await running.task.pause()
    expect(await client.tasks.list()).toMatchObject([{ containerId: id, pid, status: 'paused' }])
    await running.task.resume()
    expect(await running.task.status()).toMatchObject({ status: 'running' })
    expect(await running.task.pids()).toEqual([{ pid, info: undefined }])
    const { data } = await running.task.metrics()
    expect('metrics' in data && data.metrics.pids?.current).toBe(1n)
    await running.task.update({
      resources: {
        typeUrl: 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources',
        value: Buffer.from(JSON.stringify({ pids: { limit: 17 } })),
      },
    })
    const changed = await running.task.metrics()
    expect('metrics' in changed.data && changed.data.metrics.pids?.limit).toBe(17n)
    expect(await running.task.kill('KILL', { pid: 1 }).catch(errorCode)).toBe('unimplemented')
    expect(await running.task.kill('KILL', { pid: 1, all: true }).catch(errorCode)).toBe('invalid_argument')
    await running.task.kill(9)
    await running.task.exit
    await running.task.delete()
    expect(await client.container(id).task().catch(errorCode)).toBe('not_found')
  })

  test('one call runs a container of an image to its end, and leaves nothing', async () => {
    const { exitStatus, stdout, stderr } = await client.run({
      image,
      args: ['sh', '-c', 'echo $GREETING; pwd; id -u; cat >&2; exit 7'],
      env: ['GREETING=hello'],
      ...{ cwd: '/tmp', user: '12:34', stdin: 'input', pull: false, fifoDirectory },
    })
    expect({ exitStatus, stdout, stderr }).toEqual({
      exitStatus: 7,
      stdout: 'hello\n/tmp\n12\n',
      stderr: 'input',
    })
    const left: unknown[] = await client.tasks.list()
    for await (const container of client.containers.list()) left.push(container)
    for await (const snapshot of client.snapshotter().list())
      if (snapshot.kind !== 'committed') left.push(snapshot)
    expect(left).toEqual([])
    expect(await readdir(fifoDirectory)).toEqual([])
  })

  test('a second client attaches to what the first one has left', async () => {
    await using running = await task(['sh', '-c', 'read a; echo got $a; exit 4'], { stdin: true })
    await running.task.start()
    await running.task[Symbol.asyncDispose]()
    expect(await running.task.exit.catch(errorCode)).toBe('canceled')
    const attached = await client.container(running.task.containerId).task({ attach: true })
    const output = text(attached.stdout!)
    attached.stdin!.write('it\n')
    expect(await output).toBe('got it\n')
    expect(await attached.finished()).toMatchObject({ exitStatus: 4 })
    await attached.delete()
    expect(await readdir(fifoDirectory)).toEqual([])
  })

  test('a task that cannot be made leaves no FIFO', async () => {
    await expect(task(['/nowhere'], { stdin: true })).rejects.toThrow(/nowhere/)
    expect(await readdir(fifoDirectory)).toEqual([])
  })

  test('output goes to a file by a URI', async () => {
    const log = join(fifoDirectory, '..', 'log')
    await using running = await task(['echo', 'logged'], { output: `file://${log}` })
    expect([running.task.stdout, running.task.stderr]).toEqual([undefined, undefined])
    await running.task.start()
    await running.task.finished()
    await running.task.delete()
    expect(await readFile(log, 'utf8')).toBe('logged\n')
  })

  test('an abort ends the wait and nothing else', async () => {
    await using running = await task(['sleep', '1000'], { output: 'ignore' })
    await running.task.start()
    const reason = new Error('the caller gave up')
    expect(await running.task.finished({ signal: AbortSignal.abort(reason) }).catch((e) => e)).toBe(reason)
    const timed = running.task.finished({ signal: AbortSignal.timeout(20) })
    expect(await timed.catch((e: Error) => e.name)).toBe('TimeoutError')
    expect(await running.task.status()).toMatchObject({ status: 'running' })
  })
})
