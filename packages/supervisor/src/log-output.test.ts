import { readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, test } from 'vitest'
import type { SupervisedProcess } from './supervisor.ts'
import { useSupervisor } from './testing/use-supervisor.ts'

describeWith({ linux: true }, 'output', () => {
  const { fixture, launch, newPath, newFifo, openCounts, supervisor } = useSupervisor()

  describe('to a log file', () => {
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
    ['a log where no directory can be made', 'file:///proc/nsbox/a/log', 'not_found'],
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

  describe('to a program that takes it', () => {
    /** A logger that signals in a given way that it is ready, and writes its input to a file. */
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
      // The shell sets further variables itself.
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
      const launching = supervisor().launch(
        { key: 'log', command: () => ['true'], ...io },
        { signal: controller.signal },
      )
      launching.catch(() => undefined)
      const children = () => {
        const pid = fixture().supervisors()[0]!
        return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
      }
      await expect.poll(children).not.toBe('')
      controller.abort()
      await expect(launching).rejects.toBe(controller.signal.reason)
      await expect.poll(children).toBe('')
    })
  })
})
