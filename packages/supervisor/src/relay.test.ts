import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { makeFifo } from '@nsbox/sys/descriptors'
import { readFifo } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { LaunchRequest, SupervisedProcess, Supervisor } from './supervisor.ts'
import { SupervisorFixture } from './testing/supervised-shell.ts'

describeWith({ linux: true }, 'input and output', () => {
  let fixture: SupervisorFixture
  let supervisor: Supervisor
  let files = 0
  beforeAll(async () => {
    fixture = await SupervisorFixture.create()
    supervisor = await fixture.open()
    await supervisor.warm()
  })
  afterEach(() => fixture.clear())
  afterAll(() => fixture[Symbol.asyncDispose]())

  const launch = (script: string, options: Partial<LaunchRequest>) =>
    fixture.launch(supervisor, script, options)
  const newPath = () => join(fixture.dir.path, `f${++files}`)
  const newFifo = () => {
    const path = newPath()
    makeFifo(path, 0o600)
    return path
  }
  /** Descriptors of the supervisor and of this process, which a test must leave as it found them. */
  const openCounts = () =>
    [fixture.supervisors()[0]!, process.pid].map((pid) => readdirSync(`/proc/${pid}/fd`).length)

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
    const launching = supervisor.launch(
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

  describe('a log file', () => {
    test('is made for its owner only, with its directories, and takes both outputs', async () => {
      const log = join(newPath(), 'deep', 'log')
      for (const text of ['one', 'two']) {
        const process = await launch(`echo ${text}; echo ${text} >&2`, { stdout: `file://${log}` })
        await process.drained
      }
      expect(readFileSync(log, 'utf8').split('\n').sort()).toEqual(['', 'one', 'one', 'two', 'two'])
      expect(statSync(log).mode & 0o777).toBe(0o600)
    })

    test('loses nothing of what several processes write at once', async () => {
      const log = newPath()
      const lines = 'i=0; while [ $i -lt 2000 ]; do echo line; i=$((i+1)); done'
      const processes = await Promise.all([1, 2, 3, 4].map(() => launch(lines, { stdout: `file://${log}` })))
      await Promise.all(processes.map((process) => process.drained))
      expect(readFileSync(log, 'utf8')).toBe('line\n'.repeat(8000))
    })

    test('that is full does not stop the process', async () => {
      const process = await launch('seq 1 100000', { stdout: `file://${newPath()}` })
      expect(await process.exit).toMatchObject({ exitStatus: 0 })
    })
  })

  test.each([
    ['a relative path', 'relative', 'invalid_argument'],
    ['an unknown scheme', 'http://host/x', 'invalid_argument'],
    ['a URI with a host', 'file://host/x', 'invalid_argument'],
    ['a path that is missing', '/nonexistent/fifo', 'not_found'],
    ['a directory', '/tmp', 'invalid_argument'],
    ['a device', '/dev/zero', 'invalid_argument'],
    ['a log that is a directory', 'file:///tmp', 'invalid_argument'],
    ['a log that is a device', 'file:///dev/null', 'invalid_argument'],
    ['a program that is missing', 'binary:///nonexistent', 'not_found'],
  ])('D08 %s is refused as output, and nothing is left open', async (_, stdout, code) => {
    const before = openCounts()
    await expect(launch('true', { stdout })).rejects.toMatchObject({ code })
    await expect.poll(openCounts).toEqual(before)
  })

  test('D08 a link is not followed, be it to a FIFO, a file or as a log', async () => {
    const [fifo, file] = [newFifo(), newPath()]
    writeFileSync(file, 'precious')
    for (const [target, uri] of [
      [fifo, ''],
      [file, ''],
      [file, 'file://'],
    ] as const) {
      const link = newPath()
      symlinkSync(target, link)
      await expect(launch('echo bad', { stdout: `${uri}${link}` })).rejects.toMatchObject({
        code: 'invalid_argument',
      })
      if (uri === '')
        await expect(launch('cat', { stdin: link })).rejects.toMatchObject({ code: 'invalid_argument' })
    }
    expect(readFileSync(file, 'utf8')).toBe('precious')
  })

  describe('a program that takes the output', () => {
    /** A logger that writes what it gets to a file, after it has told in its own way that it is ready. */
    const logger = (ready: string, log: string) => {
      const path = newPath()
      const text = `#!/bin/sh
        echo "$CONTAINER_ID $CONTAINER_NAMESPACE $* $(env | wc -l)" >${log}
        ${ready}
        cat <&3 >>${log}
        cat <&4 >>${log}
        echo end >>${log}`
      writeFileSync(path, text, { mode: 0o700 })
      return path
    }
    const logEnv = { CONTAINER_ID: 'c1', CONTAINER_NAMESPACE: 'ns' }
    const run = async (uri: string): Promise<SupervisedProcess> => {
      const process = await launch('echo out; echo err >&2', { stdout: uri, stderr: uri, logEnv })
      await process.drained
      return process
    }

    test('gets both outputs, the variables that it was given, its arguments and nothing else', async () => {
      const log = newPath()
      const path = logger('exec 5>&-', log)
      await run(`binary://${path}?--tag&x=y%20z`)
      // Besides the two names, those that a shell sets itself.
      expect(readFileSync(log, 'utf8')).toMatch(/^c1 ns --tag x y z [34]\nout\nerr\nend\n$/)
    })

    test('of the second version says so by a byte', async () => {
      const log = newPath()
      await run(`binary-v2://${logger('printf x >&5; exec 5>&-', log)}`)
      expect(readFileSync(log, 'utf8')).toContain('out\nerr\nend\n')
      const silent = launch('true', { stdout: `binary-v2://${logger('exec 5>&-; exit 1', log)}` })
      await expect(silent).rejects.toMatchObject({ code: 'failed_precondition' })
    })

    test('that ends leaves the process running, with what it writes going nowhere', async () => {
      const path = newPath()
      writeFileSync(path, '#!/bin/sh\nexit 0', { mode: 0o700 })
      const process = await launch('seq 1 100000', { stdout: `binary://${path}`, logEnv })
      expect(await process.exit).toMatchObject({ exitStatus: 0 })
      await process.drained
    })

    test('that does not get ready is killed with the launch', async () => {
      const path = newPath()
      writeFileSync(path, `#!/bin/sh\nexec sleep 86399`, { mode: 0o700 })
      const controller = new AbortController()
      const io = { stdin: '', stdout: `binary://${path}`, stderr: '', terminal: false }
      const launching = supervisor.launch(
        { key: 'log', command: () => ['true'], ...io },
        { signal: controller.signal },
      )
      launching.catch(() => undefined)
      const children = () => {
        const pid = fixture.supervisors()[0]!
        return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
      }
      await expect.poll(children).not.toBe('')
      controller.abort()
      await expect(launching).rejects.toBe(controller.signal.reason)
      await expect.poll(children).toBe('')
    })
  })
})
