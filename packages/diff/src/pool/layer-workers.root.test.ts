import { readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { needs, rawEntry, rawTar, type TempDir, tempDir, traceProcess } from '@nsbox/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ApplyJob } from '../apply/apply-layer.ts'
import { GrowingFile } from '../apply/growing-file.ts'
import { LayerWorkers, type LayerWorkersOptions } from './layer-workers.ts'

const reason = needs({ linux: true, root: true })
const bytes = rawTar(rawEntry({ name: 'x', content: Buffer.alloc(1_000_000, 'content') }))

describe.skipIf(reason)(`layer workers (${reason ?? 'as root'})`, () => {
  let dir: TempDir
  let pools: LayerWorkers[]
  beforeEach(async () => {
    dir = await tempDir()
    pools = []
  })
  afterEach(async () => {
    for (const pool of pools) await pool[Symbol.asyncDispose]()
    await dir[Symbol.asyncDispose]()
  })

  function workers(options?: LayerWorkersOptions, script?: string): LayerWorkers {
    const start = script === undefined ? undefined : () => new Worker(script, { eval: true })
    const pool = new LayerWorkers({ threads: 2, ...options }, start)
    pools.push(pool)
    return pool
  }

  async function job(name: string, content: Uint8Array = bytes, size = content.length): Promise<ApplyJob> {
    const root = join(dir.path, name)
    await mkdir(root)
    await writeFile(`${root}.layer`, content)
    return {
      layer: { path: `${root}.layer`, size },
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      root,
      form: 'plain',
    }
  }

  const growing = async (name: string, written: number) => {
    const file = new GrowingFile(written)
    const whole = await job(name, bytes.subarray(0, written), bytes.length)
    return { file, job: { ...whole, layer: { ...whole.layer, growing: file.handle() } } }
  }

  // A thread that reports that it is ready, and then runs a script.
  const scripted = (onMessage: string) => `
    const { parentPort } = require('node:worker_threads')
    parentPort.on('message', (message) => { ${onMessage} })
    parentPort.postMessage({ say: 'ready' })`

  test.skipIf(needs({ programs: ['strace'] }))(
    'make files and directories with their modes, whatever the umask of the process',
    async () => {
      const own = { uid: 0, gid: 0 }
      const entries = Array.from({ length: 20 }, (_, index) => [
        rawEntry({ ...own, type: '5', name: `d${index}/`, mode: 0o755 }),
        rawEntry({ ...own, name: `d${index}/file`, mode: 0o644, content: 'x' }),
      ])
      const umask = process.umask(0o077)
      try {
        const pool = workers({ threads: 1 })
        await pool.apply(await job('first', rawTar(...entries.flat())))
        await using trace = await traceProcess(['fchown', 'fchmod'], process.pid)
        await pool.apply(await job('second', rawTar(...entries.flat())))
        expect(await trace.stop()).toEqual([])
      } finally {
        process.umask(umask)
      }
      expect(statSync(join(dir.path, 'second/d7')).mode & 0o777).toBe(0o755)
      expect(statSync(join(dir.path, 'second/d7/file')).mode & 0o777).toBe(0o644)
      expect(process.umask()).toBe(umask)
    },
  )

  test('apply several layers, more than there are threads', async () => {
    const pool = workers()
    const jobs = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => job(name)))
    const results = await Promise.all(jobs.map((each) => pool.apply(each)))
    expect(results.map((result) => result.size)).toEqual(Array(5).fill(bytes.length))
    for (const { root } of jobs) expect(readFileSync(join(root, 'x')).length).toBe(1_000_000)
  })

  test('may be started before there is work, with one thread', async () => {
    let started = 0
    const pool = new LayerWorkers({ threads: 2 }, () => {
      started += 1
      const answer = "parentPort.postMessage({ say: 'done', id: message.id, result: 1 })"
      return new Worker(scripted(answer), { eval: true })
    })
    pools.push(pool)
    pool.start()
    pool.start()
    expect(started).toBe(1)
    await pool.apply({ root: 'x' } as ApplyJob)
    expect(started).toBe(1)
    await Promise.all([1, 2, 3].map(() => pool.apply({ root: 'x' } as ApplyJob)))
    expect(started).toBe(2)
    await pool[Symbol.asyncDispose]()
    pool.start()
    expect(started).toBe(2)
  })

  test('errors keep their code and details', async () => {
    const pool = workers()
    const hostile = await job('a', rawTar(rawEntry({ name: '../x' })))
    await expect(pool.apply(hostile)).rejects.toMatchObject({
      code: 'invalid_argument',
      details: { entry: '../x' },
    })
    await expect(pool.apply(await job('b'))).resolves.toMatchObject({ entries: 1 })
  })

  test('follow a file that grows to its end', async () => {
    const { file, job } = await growing('a', 100)
    const result = workers().apply(job)
    for (let offset = 100; offset < bytes.length; ) {
      const end = Math.min(offset + 300_000, bytes.length)
      await writeFile(job.layer.path, bytes.subarray(offset, end), { flag: 'a' })
      file.advance(end)
      offset = end
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    file.complete()
    expect(await result).toMatchObject({ size: bytes.length })
    expect(readFileSync(join(job.root, 'x')).length).toBe(1_000_000)
  })

  test('a file that starts again aborts, one that fails aborts, one that ends short is damage', async () => {
    const pool = workers({ threads: 3 })
    const [restarted, failed, short] = [
      await growing('a', 100),
      await growing('b', 100),
      await growing('c', 100),
    ]
    const results = [restarted, failed, short].map(({ job }) => pool.apply(job))
    const settled = Promise.allSettled(results)
    restarted.file.restart()
    failed.file.fail()
    short.file.complete()
    expect(await settled).toMatchObject([
      { reason: { code: 'aborted' } },
      { reason: { code: 'aborted' } },
      { reason: { code: 'data_loss' } },
    ])
  })

  test('an abort rejects with its reason and frees the thread', async () => {
    const pool = workers({ threads: 1 })
    const { job: endless } = await growing('a', 100)
    const abort = new AbortController()
    const result = pool.apply(endless, { signal: abort.signal })
    const waiting = pool.apply(await job('b'))
    setTimeout(() => abort.abort(new Error('enough')), 50)
    await expect(result).rejects.toThrow('enough')
    await expect(waiting).resolves.toMatchObject({ entries: 1 })
    await expect(pool.apply(endless, { signal: abort.signal })).rejects.toThrow('enough')
  })

  test('a thread that dies rejects its job only, and another takes its place', async () => {
    const died = workers(
      { threads: 1 },
      scripted(
        "if (message.job.root === 'die') process.exit(3); parentPort.postMessage({ say: 'done', id: " +
          'message.id, result: 1 })',
      ),
    )
    const [bad, good] = await Promise.allSettled([
      died.apply({ root: 'die' } as ApplyJob),
      died.apply({ root: 'live' } as ApplyJob),
    ])
    expect(bad).toMatchObject({
      reason: { code: 'internal', context: 'applying a layer to die: the worker exited with code 3' },
    })
    expect(good).toMatchObject({ value: 1 })
  })

  test('a thread that throws or does not start rejects its job', async () => {
    const throws = workers({ threads: 1 }, scripted("throw new Error('broken')"))
    await expect(throws.apply({ root: 'x' } as ApplyJob)).rejects.toMatchObject({
      code: 'internal',
      cause: { message: 'broken' },
    })
    const silent = workers({ threads: 1, startTimeout: 100 }, 'setInterval(() => {}, 1000)')
    await expect(silent.apply({ root: 'x' } as ApplyJob)).rejects.toMatchObject({ code: 'internal' })
  })

  test('a thread that is starting is not ended before it has started', async () => {
    const script = `
      const { parentPort, workerData } = require('node:worker_threads')
      setTimeout(() => {
        workerData[0] = 1
        parentPort.postMessage({ say: 'ready' })
      }, 200)`
    for (const ask of [() => undefined, (pool: LayerWorkers) => pool.apply({ root: 'x' } as ApplyJob)]) {
      const workerData = new Uint8Array(new SharedArrayBuffer(1))
      const pool = new LayerWorkers({ threads: 1 }, () => new Worker(script, { eval: true, workerData }))
      pools.push(pool)
      pool.start()
      const asked = Promise.allSettled([ask(pool)])
      await pool[Symbol.asyncDispose]()
      expect(workerData[0]).toBe(1)
      await asked
    }
  })

  test('a thread that does not stop is ended, and the next job gets another', async () => {
    const script = scripted(
      "if (message.say === 'run' && message.job.root === 'x') for (;;); " +
        "parentPort.postMessage({ say: 'done', id: message.id, result: 1 })",
    )
    const pool = workers({ threads: 1, abortTimeout: 100 }, script)
    const abort = new AbortController()
    const stuck = pool.apply({ root: 'x' } as ApplyJob, { signal: abort.signal })
    setTimeout(() => abort.abort(), 200)
    await expect(stuck).rejects.toMatchObject({ name: 'AbortError' })
    await expect(pool.apply({ root: 'y' } as ApplyJob)).resolves.toBe(1)
  })

  test('a thread without work ends after a while, and the next job gets another', async () => {
    const answer = scripted(
      "parentPort.postMessage({ say: 'done', id: message.id, result: require('node:worker_threads').threadId })",
    )
    const pool = workers({ threads: 1, idleTimeout: 50 }, answer)
    const first = await pool.apply(await job('a'))
    await expect
      .poll(async () => await pool.apply(await job(`b${Math.random()}`)), { interval: 200 })
      .not.toBe(first)
    expect(pool.hasThreads).toBe(true)
    await expect.poll(() => pool.hasThreads).toBe(false)
  })

  test('what a thread had open is closed when it dies', async () => {
    const before = new Set(readdirSync('/proc/self/fd'))
    const script = `
      const { parentPort, workerData } = require('node:worker_threads')
      const table = new Uint8Array(workerData)
      parentPort.on('message', () => {
        for (let count = 0; count < 5; count += 1) table[require('node:fs').openSync('/', 'r')] = 1
        process.exit(3)
      })
      parentPort.postMessage({ say: 'ready' })`
    const pool = new LayerWorkers(
      { threads: 1 },
      (workerData) => new Worker(script, { eval: true, workerData, trackUnmanagedFds: false }),
    )
    pools.push(pool)
    await expect(pool.apply({ root: 'x' } as ApplyJob)).rejects.toMatchObject({ code: 'internal' })
    await pool[Symbol.asyncDispose]()
    // What earlier tests had open may be closed meanwhile.
    await expect.poll(() => readdirSync('/proc/self/fd').filter((fd) => !before.has(fd))).toEqual([])
  })

  test('no more jobs wait than may', async () => {
    const pool = workers({ threads: 1, waiting: 1 })
    const first = pool.apply(await job('a'))
    const second = pool.apply(await job('b'))
    await expect(pool.apply(await job('c'))).rejects.toMatchObject({ code: 'resource_exhausted' })
    await Promise.all([first, second])
  })

  test('disposing of the pool cancels what runs and what waits, and refuses what comes', async () => {
    const pool = workers({ threads: 1 })
    const { job: endless } = await growing('a', 100)
    const settled = Promise.allSettled([pool.apply(endless), pool.apply(await job('b'))])
    await pool[Symbol.asyncDispose]()
    expect(await settled).toMatchObject([{ reason: { code: 'canceled' } }, { reason: { code: 'canceled' } }])
    await expect(pool.apply(endless)).rejects.toMatchObject({ code: 'failed_precondition' })
  })
})
