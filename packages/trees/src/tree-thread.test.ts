import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { startThread } from '@nsbox/sys/threads'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { fillDirectory } from './testing/fill-directory.ts'
import { TreeThread } from './tree-thread.ts'

/** Trees to copy. */
async function trees(...names: readonly string[]) {
  const dir = await tempDir('nsbox-trees')
  const job = (name: string) => ({
    from: join(dir.path, name),
    to: join(dir.path, `${name} copied`),
    scratch: join(dir.path, `${name} scratch`),
  })
  for (const name of names) {
    await mkdir(job(name).from)
    await mkdir(job(name).to)
    await writeFile(join(job(name).from, 'file'), name)
  }
  return { path: dir.path, job, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() }
}

/** A thread that does no work until it gets a message to continue, which it then answers. */
function slowThread(): Worker {
  return new Worker(
    `const { parentPort } = require('node:worker_threads')
    const told = new Map()
    parentPort.on('message', (message) => {
      if (message === 'die') process.exit(3)
      if (message.say === 'end') parentPort.close()
      else if (message.say === 'run') told.set(message.id, { id: message.id })
      else if (message.say === 'cancel')
        told.set(message.id, { id: message.id, error: { code: 'canceled', context: 'x', message: 'x' } })
      else {
        for (const answer of told.values()) parentPort.postMessage(answer)
        told.clear()
      }
    })`,
    { eval: true },
  )
}

/** So that no test leaves a thread behind. */
const quick = { idleTimeout: 10 }

describeWith({ linux: true }, 'a thread for trees', () => {
  test('does what it is given, and fails with the codes of what failed', async () => {
    await using given = await trees('one', 'two')
    const thread = new TreeThread(quick)
    const run = (name: string) => thread.run('copy', given.job(name), undefined)
    await Promise.all(['one', 'two'].map(run))
    for (const name of ['one', 'two'])
      expect(await readFile(join(given.job(name).to, 'file'), 'utf8')).toBe(name)
    await expect(run('none')).rejects.toMatchObject({ code: 'not_found' })
    await expect(run('one')).rejects.toMatchObject({ code: 'already_exists' })
    expect(await thread.run('measure', given.job('two').to, undefined)).toMatchObject({ inodes: 2 })
  })

  test('ends when it has nothing to do for a while, and is there again when it has', async () => {
    await using given = await trees('one')
    const thread = new TreeThread(quick)
    for (const _ of [1, 2]) {
      await thread.run('measure', given.path, undefined)
      expect(thread.isThere).toBe(true)
      await expect.poll(() => thread.isThere).toBe(false)
    }
  })

  test('E06 lets a small tree be done with before a big one that was there first', async () => {
    await using given = await trees('one')
    const big = join(given.path, 'big')
    fillDirectory(big, 20_000)
    const thread = new TreeThread(quick)
    const done: string[] = []
    await Promise.all([
      thread.run('remove', big, undefined).then(() => done.push('big')),
      thread.run('measure', given.job('one').from, undefined).then(() => done.push('small')),
    ])
    expect(done).toEqual(['small', 'big'])
  })

  test('gives up what it does only when it has stopped, and what waits at once', async () => {
    await using given = await trees()
    const worker = slowThread()
    const thread = new TreeThread({ ...quick, atOnce: 1 }, () => worker)
    const [first, second] = [new AbortController(), new AbortController()]
    let settled = false
    const running = thread.run('copy', given.job('one'), first.signal).finally(() => {
      settled = true
    })
    const waiting = thread.run('copy', given.job('two'), second.signal)
    const third = thread.run('copy', given.job('three'), undefined)
    second.abort(new Error('second'))
    await expect(waiting).rejects.toThrow('second')
    first.abort(new Error('first'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(false)
    worker.postMessage('go on')
    await expect(running).rejects.toThrow('first')
    worker.postMessage('go on')
    await third
    await expect(thread.run('copy', given.job('four'), AbortSignal.abort())).rejects.toThrow()
  })

  test('is replaced when it dies', async () => {
    await using given = await trees('one')
    const worker = slowThread()
    const threads = [worker]
    const thread = new TreeThread(
      quick,
      (descriptors) => threads.pop() ?? startThread('./tree-worker', import.meta.url, descriptors),
    )
    const copied = thread.run('copy', given.job('one'), undefined)
    worker.postMessage('die')
    await expect(copied).rejects.toMatchObject({ code: 'internal' })
    await thread.run('copy', given.job('one'), undefined)
    expect(await readFile(join(given.job('one').to, 'file'), 'utf8')).toBe('one')
  })

  test('does not keep a process alive that has nothing for it', async () => {
    await using given = await trees('one')
    const source = JSON.stringify(new URL('./tree-thread.ts', import.meta.url).href)
    const program = `
      const { TreeThread } = await import(${source})
      await new TreeThread().run('copy', ${JSON.stringify(given.job('one'))})
      console.log('copied')`
    const loader = ['--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
    const { stdout } = await runOrThrow(process.execPath, [
      ...loader,
      '--input-type=module',
      '--eval',
      program,
    ])
    expect(stdout).toBe('copied\n')
  })
})
