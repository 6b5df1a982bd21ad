import { existsSync } from 'node:fs'
import type { TaskHandle } from '@nsbox/client'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { openTaskLab, type TaskLab } from './task-lab.ts'

/** Kills the supervisor and waits for the one that takes over. */
async function replaceSupervisor({ server, supervisor }: TaskLab): Promise<void> {
  const old = await supervisor()
  process.kill(old, 'SIGKILL')
  await expect.poll(() => server.supervisors()).toEqual([expect.not.toSatisfy((pid) => pid === old)])
}

/** Collects what a process writes. */
function collect(task: TaskHandle): () => string {
  let output = ''
  task.stdout!.setEncoding('utf8').on('data', (piece: string) => {
    output += piece
  })
  return () => output
}

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox'] },
  'a supervisor that is killed',
  () => {
    let lab: TaskLab
    beforeAll(async () => {
      lab = await openTaskLab('killed-supervisor')
      await lab.run('warm', ['true'])
    })
    afterEach(() => lab.removeAll())
    afterAll(() => lab[Symbol.asyncDispose]())

    it('takes no container along: the next one has them all, their output, input and ends', {
      timeout: 60_000,
    }, async () => {
      const watch = await lab.watch()
      const script = 'while read line; do echo "got $line"; done; exit 5'
      const plain = await lab.start('plain', ['sh', '-c', script], { stdin: true })
      const quiet = await lab.start('quiet', ['sleep', '1000'], { output: 'ignore' })
      const first = await lab.start('first', ['sh'], { stdin: true, terminal: true })
      const second = await lab.start('second', ['sh'], { stdin: true, terminal: true })
      const exec = await quiet.exec({ args: ['sh', '-c', 'read x; exit 9'], stdin: true, output: 'ignore' })
      await exec.start()
      const outputs = { plain: collect(plain), first: collect(first), second: collect(second) }
      plain.stdin!.write('one\n')
      for (const seat of [first, second]) seat.stdin!.write('kept=yes\r')
      await expect.poll(outputs.plain).toBe('got one\n')
      await expect.poll(outputs.first).toContain('kept')

      await replaceSupervisor(lab)

      for (const { pid } of [plain, quiet, first, second, exec]) expect(existsSync(`/proc/${pid}`)).toBe(true)
      const listed = await lab.client.tasks.list()
      expect(listed.map(({ status }) => status)).toEqual(['running', 'running', 'running', 'running'])
      plain.stdin!.write('two\n')
      await expect.poll(outputs.plain).toBe('got one\ngot two\n')
      plain.stdin!.end()
      expect(await plain.finished()).toMatchObject({ exitStatus: 5 })
      exec.stdin!.write('\n')
      expect(await exec.exit).toMatchObject({ exitStatus: 9 })
      await first.resize({ width: 61, height: 17 })
      first.stdin!.write('echo "is $kept"; stty size; exit 6\r')
      expect(await first.finished()).toMatchObject({ exitStatus: 6 })
      expect(outputs.first()).toMatch(/is yes\s+17 61/)
      // Somebody else comes to the terminal.
      await second[Symbol.asyncDispose]()
      await using again = await lab.client.container('second').task({ attach: true })
      const seen = collect(again)
      again.stdin!.write('echo "still $kept"\r')
      await expect.poll(seen).toContain('still yes')
      await again.kill('SIGKILL')
      expect(await again.exit).toMatchObject({ exitStatus: 137 })
      await quiet.kill('SIGTERM', { all: true })
      await quiet.kill('SIGKILL')
      expect(await quiet.exit).toMatchObject({ exitStatus: 137 })
      await exec.delete()
      for (const task of [plain, quiet, first, again]) await task.delete()
      await lab.removeAll()
      expect(await lab.run('later', ['sh', '-c', 'echo on; exit 4'])).toEqual({
        output: 'on\n',
        exitStatus: 4,
      })
      expect(await watch.leaks()).toEqual([])
    })

    it('loses nothing of what a container writes all the time, and no end that comes meanwhile', {
      timeout: 60_000,
    }, async () => {
      const count = 'n=0; while [ ! -e /tmp/enough ]; do echo $n; n=$((n+1)); done; exit 8'
      await using writer = await lab.start('writer', ['sh', '-c', count])
      const output = collect(writer)
      const ends = await Promise.all(
        [1, 2, 3, 4].map((n) => lab.start(`end-${n}`, ['sh', '-c', `read x; exit ${n}`], { stdin: true })),
      )
      for (let times = 0; times < 3; times++) {
        const before = output().length
        await expect.poll(() => output().length).toBeGreaterThan(before + 10_000)
        // One that ends at the very moment.
        ends[times]!.stdin!.write('\n')
        await replaceSupervisor(lab)
      }
      const before = output().length
      await expect.poll(() => output().length).toBeGreaterThan(before + 10_000)
      await lab.run('enough', ['touch', '/tmp/enough'])
      expect(await writer.finished()).toMatchObject({ exitStatus: 8 })
      const lines = output().split('\n')
      expect(lines.pop()).toBe('')
      const wrong = lines.findIndex((line, n) => line !== String(n))
      expect([wrong, lines.slice(wrong - 2, wrong + 3)]).toEqual([-1, expect.anything()])
      ends[3]!.stdin!.write('\n')
      const statuses = await Promise.all(ends.map(async ({ exit }) => (await exit).exitStatus))
      expect(statuses).toEqual([1, 2, 3, 4])
    })

    it('and its daemon with it leave containers that can be found, killed and deleted', {
      timeout: 60_000,
    }, async () => {
      await using task = await lab.start('alone', ['sleep', '1000'], { output: 'ignore' })
      const old = await lab.supervisor()
      const killed = lab.server.kill()
      process.kill(old, 'SIGKILL')
      await killed
      expect(existsSync(`/proc/${task.pid}`)).toBe(true)
      await lab.server.restart()
      expect(await lab.client.tasks.get('alone')).toMatchObject({ status: 'running', pid: task.pid })
      await lab.client.tasks.kill('alone', 9)
      expect(await lab.client.tasks.wait('alone')).toMatchObject({ exitStatus: 137 })
      await lab.client.tasks.delete('alone')
    })
  },
)
