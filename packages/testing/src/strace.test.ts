import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeWith } from './describe-with.ts'
import { startProcess } from './running-process.ts'
import { traceProcess, traceRun } from './strace.ts'
import { tempDir } from './temp-dir.ts'

describeWith({ linux: true, programs: ['strace'] }, 'strace', () => {
  it('shows that dd syncs what it wrote', async () => {
    await using dir = await tempDir()
    const file = join(dir.path, 'file')
    const args = ['if=/dev/zero', `of=${file}`, 'count=1', 'conv=fsync']
    const { code, calls } = await traceRun(['write', 'fsync'], 'dd', args)
    expect(code).toBe(0)
    const write = calls.find(({ name, args }) => name === 'write' && args.startsWith('1'))!
    const sync = calls.find(({ name, args }) => name === 'fsync' && args.includes(file))!
    expect(write.result).toBe('512')
    expect(write.returned).toBeLessThan(sync.entered)
  })

  it('gives the exit code of the program', async () => {
    expect(await traceRun(['fsync'], 'sh', ['-c', 'echo out; exit 3'])).toMatchObject({
      code: 3,
      stdout: 'out\n',
      calls: [],
    })
  })

  it('attaches to a running process, and lets it go on', async () => {
    await using child = await startProcess('sh', ['-c', 'while echo tick; do sleep 0.05; done'], {
      ready: /tick/,
    })
    await using trace = await traceProcess(['write'], child.pid)
    const traced = child.output.length
    await expect.poll(() => child.output.length).toBeGreaterThan(traced + 5 * 'tick\n'.length)
    const calls = await trace.stop()
    expect(calls.filter(({ args }) => args.includes('"tick\\n"')).length).toBeGreaterThan(2)
    const before = child.output.length
    await expect.poll(() => child.output.length).toBeGreaterThan(before)
  })
})
