import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { startThread } from '@nsbox/sys/threads'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { CopyThread } from './copy-thread.ts'

/** Trees to copy. */
async function trees(...names: readonly string[]) {
  const dir = await tempDir('nsbox-snapshots')
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
  return { job, [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose]() }
}

/** A thread that does nothing of what it is told until it is told to go on, which it then answers. */
function slowThread(): Worker {
  return new Worker(
    `const { parentPort } = require('node:worker_threads')
    const told = []
    parentPort.on('message', (message) => {
      if (message === 'die') process.exit(3)
      if (message !== 'go on') return void told.push(message)
      for (const { id, canceled } of told.splice(0))
        parentPort.postMessage(canceled[0] ? { id, error: { code: 'canceled', context: 'x', message: 'x' } } : { id })
    })`,
    { eval: true },
  )
}

describeWith({ linux: true }, 'a thread that copies trees', () => {
  test('copies what it is given, and fails with the codes of what failed', async () => {
    await using given = await trees('one', 'two')
    await using thread = new CopyThread()
    await Promise.all(['one', 'two'].map((name) => thread.copy(given.job(name))))
    for (const name of ['one', 'two'])
      expect(await readFile(join(given.job(name).to, 'file'), 'utf8')).toBe(name)
    await expect(thread.copy(given.job('none'))).rejects.toMatchObject({ code: 'not_found' })
    await expect(thread.copy(given.job('one'))).rejects.toMatchObject({ code: 'already_exists' })
  })

  test('gives up what it does only when it has stopped, and what waits at once', async () => {
    await using given = await trees()
    const worker = slowThread()
    await using thread = new CopyThread(() => worker)
    const [first, second] = [new AbortController(), new AbortController()]
    let settled = false
    const running = thread.copy(given.job('one'), first).finally(() => {
      settled = true
    })
    const waiting = thread.copy(given.job('two'), second)
    const third = thread.copy(given.job('three'))
    second.abort(new Error('second'))
    await expect(waiting).rejects.toThrow('second')
    first.abort(new Error('first'))
    await new Promise((resolve) => setImmediate(resolve))
    expect(settled).toBe(false)
    worker.postMessage('go on')
    await expect(running).rejects.toThrow('first')
    await third
    await expect(thread.copy(given.job('four'), { signal: AbortSignal.abort() })).rejects.toThrow()
  })

  test('is replaced when it dies', async () => {
    await using given = await trees('one')
    const worker = slowThread()
    const threads = [worker]
    await using thread = new CopyThread(() => threads.pop() ?? startThread('./copy-worker', import.meta.url))
    const copied = thread.copy(given.job('one'))
    worker.postMessage('die')
    await expect(copied).rejects.toMatchObject({ code: 'internal' })
    await thread.copy(given.job('one'))
    expect(await readFile(join(given.job('one').to, 'file'), 'utf8')).toBe('one')
  })

  test('does not keep a process alive that has nothing to copy', async () => {
    await using given = await trees('one')
    const source = JSON.stringify(new URL('./copy-thread.ts', import.meta.url).href)
    const program = `
      const { CopyThread } = await import(${source})
      await new CopyThread().copy(${JSON.stringify(given.job('one'))})
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
