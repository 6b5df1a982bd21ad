import { closeSync, constants, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { readFifo } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { useSupervisor } from './testing/use-supervisor.ts'

describeWith({ linux: true }, 'input and output', () => {
  const { launch, newPath, newFifo, openCounts, supervisor } = useSupervisor()

  test('what a process writes reaches the readers of its FIFOs, which then end', async () => {
    const before = openCounts()
    const [stdout, stderr] = [newFifo(), newFifo()]
    const readers = [readFifo(stdout), readFifo(stderr)]
    const process = await launch('echo out; echo err >&2', { stdout, stderr })
    await process.drained
    expect(await Promise.all(readers.map(({ ended }) => ended))).toEqual(['out\n', 'err\n'])
    await process.release()
    await expect.poll(openCounts).toEqual(before)
  })

  test('all of much output comes, in order, through a reader that is slow', async () => {
    const stdout = newFifo()
    const fd = openSync(stdout, constants.O_RDONLY | constants.O_NONBLOCK)
    const process = await launch('seq 1 200000', { stdout })
    await delay(50)
    expect(process.ended).toBeUndefined()
    const reader = readFifo(stdout)
    closeSync(fd)
    const text = await reader.ended
    expect(text.split('\n')).toEqual([
      ...Array.from({ length: 200_000 }, (_, index) => String(index + 1)),
      '',
    ])
    expect(await process.exit).toMatchObject({ exitStatus: 0 })
  })

  test('a launch waits for the reader of a FIFO', async () => {
    const stdout = newFifo()
    let launched = false
    const launching = launch('echo hello', { stdout }).finally(() => {
      launched = true
    })
    await delay(50)
    expect(launched).toBe(false)
    const reader = readFifo(stdout)
    await (await launching).exit
    expect(await reader.ended).toBe('hello\n')
  })

  test('a launch that is aborted waits no longer, and closes what it has opened', async () => {
    const before = openCounts()
    const controller = new AbortController()
    const io = { stdin: newFifo(), stdout: newFifo(), stderr: '', terminal: false }
    const launching = supervisor().launch(
      { key: 'waits', command: () => ['true'], ...io },
      { signal: controller.signal },
    )
    await delay(50)
    controller.abort()
    await expect(launching).rejects.toBe(controller.signal.reason)
    await expect.poll(openCounts).toEqual(before)
  })

  test('a reader that leaves does not end the process, and another one may come', async () => {
    const stdout = newFifo()
    const first = readFifo(stdout)
    const process = await launch('while :; do echo tick; sleep 0.01; done', { stdout })
    await expect.poll(first.text).toContain('tick')
    first.stop()
    await first.ended
    await delay(100)
    expect(process.ended).toBeUndefined()
    const second = readFifo(stdout)
    await expect.poll(second.text).toContain('tick')
    process.signal(9)
    await process.drained
    await second.ended
  })

  test('a reader that has left delays neither the end of a process nor its drain for long', async () => {
    const stdout = newFifo()
    const reader = readFifo(stdout)
    const process = await launch('yes', { stdout })
    await expect.poll(reader.text).toContain('y')
    reader.stop()
    await reader.ended
    process.signal(9)
    expect(await process.exit).toMatchObject({ exitStatus: 137 })
    await process.drained
  })

  test('a child that goes on in the background does not keep the output open', async () => {
    const stdout = newFifo()
    const reader = readFifo(stdout)
    const process = await launch('sleep 60 & echo $!; exit 0', { stdout })
    await process.drained
    const child = Number(await reader.ended)
    expect(existsSync(`/proc/${child}`)).toBe(true)
    globalThis.process.kill(child)
  })

  test('both outputs may go to one FIFO', async () => {
    const stdout = newFifo()
    const reader = readFifo(stdout)
    await (await launch('echo out; echo err >&2', { stdout, stderr: stdout })).drained
    expect((await reader.ended).split('\n').sort()).toEqual(['', 'err', 'out'])
  })

  test('input comes from a FIFO whose writers may leave, until it is closed and the last one has left', async () => {
    const [stdin, stdout] = [newFifo(), newFifo()]
    const reader = readFifo(stdout)
    const process = await launch('cat; echo end', { stdin, stdout })
    for (const text of ['one\n', 'two\n']) {
      writeFileSync(stdin, text)
      await expect.poll(reader.text).toContain(text)
    }
    await delay(50)
    expect(process.ended).toBeUndefined()
    const writer = openSync(stdin, 'w')
    writeSync(writer, 'three\n')
    await process.closeStdin()
    await process.closeStdin()
    await expect.poll(reader.text).toContain('three\n')
    writeSync(writer, 'four\n')
    closeSync(writer)
    expect(await reader.ended).toBe('one\ntwo\nthree\nfour\nend\n')
    await process.closeStdin()
  })

  test('a client that writes and leaves before a process is let run has ended its input', async () => {
    const [stdin, stdout] = [newFifo(), newFifo()]
    const reader = readFifo(stdout)
    const process = await launch('cat; echo end', { stdin, stdout, waits: true })
    // A FIFO without a first writer has not ended.
    await delay(50)
    expect(process.ended).toBeUndefined()
    writeFileSync(stdin, 'short\n')
    expect(await reader.ended).toBe('short\nend\n')
    await process.keepStdin()
  })

  test('input that is closed before a writer has come has ended', async () => {
    const [stdin, stdout] = [newFifo(), newFifo()]
    const reader = readFifo(stdout)
    const process = await launch('cat; echo end', { stdin, stdout, waits: true })
    await process.closeStdin()
    await process.keepStdin()
    expect(await reader.ended).toBe('end\n')
  })

  test('once a process is let run, its input goes on without a client', async () => {
    const [stdin, stdout] = [newFifo(), newFifo()]
    const reader = readFifo(stdout)
    const process = await launch('cat; echo end', { stdin, stdout, waits: true })
    await process.keepStdin()
    await process.keepStdin()
    for (const text of ['one\n', 'two\n']) {
      writeFileSync(stdin, text)
      await expect.poll(reader.text).toContain(text)
    }
    await delay(50)
    expect(process.ended).toBeUndefined()
    await process.closeStdin()
    expect(await reader.ended).toBe('one\ntwo\nend\n')
  })

  test('much input is all taken before the end, from a client that has left', async () => {
    const [stdin, stdout] = [newFifo(), newFifo()]
    const reader = readFifo(stdout)
    const process = await launch('sleep 0.2; wc -c', { stdin, stdout })
    const writer = openSync(stdin, constants.O_WRONLY | constants.O_NONBLOCK)
    let written = 0
    // The capacity of the FIFO and of the pipe behind it.
    await expect
      .poll(() => {
        try {
          for (;;) written += writeSync(writer, Buffer.alloc(4096))
        } catch (error) {
          expect(error).toMatchObject({ code: 'EAGAIN' })
          return written
        }
      })
      .toBeGreaterThan(65_536)
    closeSync(writer)
    await process.closeStdin()
    expect(Number(await reader.ended)).toBe(written)
  })

  test('input ends with a plain file, and output is appended to one', async () => {
    const [stdin, stdout] = [newPath(), newPath()]
    writeFileSync(stdin, 'from a file\n')
    writeFileSync(stdout, 'before\n')
    await (await launch('cat; echo err >&2', { stdin, stdout, stderr: stdout })).drained
    expect(readFileSync(stdout, 'utf8').split('\n').sort()).toEqual(['', 'before', 'err', 'from a file'])
  })

  test('without names there is nothing to read, and what is written goes nowhere', async () => {
    const log = newPath()
    const process = await launch(`cat; echo gone; readlink /proc/self/fd/0 /proc/self/fd/1 >${log}`, {})
    expect(await process.exit).toMatchObject({ exitStatus: 0 })
    await process.drained
    expect(readFileSync(log, 'utf8')).toMatch(/^\/dev\/null\n/)
  })

  test('the null device may be named', async () => {
    const process = await launch('cat; echo gone', {
      stdin: '/dev/null',
      stdout: '/dev/null',
      stderr: '/dev/null',
    })
    expect(await process.exit).toMatchObject({ exitStatus: 0 })
    await process.drained
  })
})
