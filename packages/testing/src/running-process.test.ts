import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { run } from './run.ts'
import { startProcess } from './running-process.ts'
import { tempDir } from './temp-dir.ts'

const sh = (script: string, options: Parameters<typeof startProcess>[2] = {}) =>
  startProcess('sh', ['-c', script], options)

it('waits until the process says that it is ready, and stops it at the end', async () => {
  let exited: Promise<unknown>
  {
    await using child = await sh('sleep 0.1; echo listening on 7; exec sleep 60', {
      ready: /listening on \d/,
    })
    exited = child.exited
    expect(child.output).toContain('listening on 7')
    expect(process.kill(child.pid, 0)).toBe(true)
  }
  expect(await exited).toEqual({ code: null, signal: 'SIGTERM' })
})

it('kills a process that ignores SIGTERM', async () => {
  const child = await sh('trap "" TERM; echo up; while :; do sleep 0.05; done', {
    ready: /up/,
    stopTimeout: 100,
  })
  await child.stop()
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' })
})

it('rejects with the output if the process ends before it is ready', async () => {
  await expect(sh('echo cannot bind >&2; exit 2', { ready: /up/ })).rejects.toThrow(
    /exit code 2 without[\s\S]*cannot bind/,
  )
})

it('ends a process that does not get ready in time', async () => {
  const pid = /pid (\d+)/
  const failure = await sh('echo pid $$; exec sleep 60', { ready: /up/, readyTimeout: 1000 }).catch(String)
  expect(() => process.kill(Number(pid.exec(failure as string)![1]), 0)).toThrow(/ESRCH/)
})

it('drops the oldest output beyond its bound', async () => {
  await using child = await sh('seq 1 20000; echo done; exec sleep 60', { ready: /done/, keepOutput: 1000 })
  expect(child.output).toHaveLength(1000)
})

it('sends standard output to a file if told so', async () => {
  await using dir = await tempDir()
  const file = join(dir.path, 'out')
  await using child = await sh('echo out; echo err >&2; exec sleep 60', { ready: /err/, stdoutFile: file })
  expect(child.output).toBe('err\n')
  expect(await readFile(file, 'utf8')).toBe('out\n')
})

it('rejects if the program does not exist', async () => {
  await expect(startProcess('/does/not/exist', [])).rejects.toThrow(/ENOENT/)
})

it('ends with the process that started it', async () => {
  await using dir = await tempDir()
  const file = join(dir.path, 'ticks')
  const source = `
    import { startProcess } from ${JSON.stringify(new URL('running-process.ts', import.meta.url).href)}
    const script = 'echo up >&2; while echo tick; do sleep 0.05; done'
    await startProcess('sh', ['-c', script], { ready: /up/, stdoutFile: '${file}' })
    throw new Error('left without disposing')`
  const tsx = import.meta.resolve('tsx')
  const { stderr } = await run(process.execPath, ['--import', tsx, '--input-type=module', '-e', source])
  expect(stderr).toContain('left without disposing')
  const ticksOn = async () => {
    const before = await readFile(file, 'utf8')
    await delay(500)
    return (await readFile(file, 'utf8')) !== before
  }
  await expect.poll(ticksOn).toBe(false)
})
