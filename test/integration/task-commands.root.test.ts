import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ctrProgram } from '@nsbox/ctr'
import { describeWith } from '@nsbox/testing/describe-with'
import { listsOf } from '@nsbox/testing/help-tests'
import { describe, expect, it } from 'vitest'
import { runCommand } from './command-host.ts'
import { servers, useRunLab } from './run-lab.ts'

describeWith({ root: true, programs: ['containerd', 'ctr', 'runc'] }, 'commands for tasks', () => {
  describe.each(Object.entries(servers))('against %s', (server, start) => {
    const { lab, running, started } = useRunLab(start, `tasks-of-${server}`)
    /** A detached exec that is called `one` and goes on for as long as it may. */
    const sleeping = (task: string) => {
      const how = ['-d', '--exec-id', 'one', '--fifo-dir', lab().fifos]
      return ['tasks', 'exec', ...how, task, 'sleep', '1000']
    }

    it('a detached task is started with a pid file, found, joined, killed by its stop signal and removed', async () => {
      const file = join(lab().directory, 'pid')
      const script = 'trap "exit 5" USR1; while true; do sleep 0.05; done'
      await using _ = await started('found', ['--pid-file', file], ['sh', '-c', script])
      const pid = Number(await readFile(file, 'utf8'))
      expect((await lab().ctr(['tasks', 'ls', '--json'])).stdout).toContain(`"pid":${pid}`)
      const exec = await lab().ctr(['tasks', 'exec', 'found', 'sh', '-c', 'echo $OF; pwd; cat; exit 3'], {
        input: 'input',
      })
      expect([exec.code, exec.stdout]).toEqual([3, 'image\n/tmp\ninput'])
      const user = ['tasks', 'exec', '--cwd', '/etc', '--user', 'user:extra', 'found', 'sh', '-c', 'id; pwd']
      expect((await lab().ctr(user)).stdout).toBe('uid=1000(user) gid=2000(extra) groups=2000(extra)\n/etc\n')
      expect(await lab().ctr(['tasks', 'rm', 'found'])).toMatchObject({ code: 1 })
      expect(await lab().ctr(['tasks', 'kill', 'found'])).toMatchObject({ code: 0, stderr: '' })
      await expect.poll(async () => (await lab().ctr(['tasks', 'ls'])).stdout).toContain('STOPPED')
      expect((await lab().ctr(['tasks', 'kill', 'found'])).stderr).toContain(
        'process already finished: not found',
      )
      const removed = await lab().ctr(['tasks', 'rm', 'found'])
      expect([removed.code, removed.stderr]).toEqual([0, 'task found exit with non-zero exit code 5\n'])
      expect((await lab().ctr(['tasks', 'attach', 'found'])).stderr).toContain('not found')
    })

    it('execs go on detached, are killed and removed by their ids', async () => {
      await using _ = await started('many')
      const exec = sleeping('many')
      expect(await lab().ctr(exec)).toMatchObject({ code: 0 })
      expect((await lab().ctr(exec)).stderr).toContain('already exists')
      expect(await lab().ctr(['tasks', 'kill', '--exec-id', 'one', '-s', 'KILL', 'many'])).toMatchObject({
        code: 0,
      })
      const remove = ['tasks', 'rm', '--exec-id', 'one', 'many']
      await expect.poll(async () => (await lab().ctr(remove)).code).toBe(137)
    })

    it('tasks kill --pid reaches any process of the container, and no other, on servers that can tell', async () => {
      await using _ = await started('by-pid')
      const kill = (pid: number) => lab().ctr(['tasks', 'kill', '-s', 'KILL', '--pid', String(pid), 'by-pid'])
      const other = spawn('sleep', ['1000'])
      try {
        const refused = await kill(other.pid!)
        expect([refused.code, other.exitCode]).toEqual([1, null])
        await lab().ctr(sleeping('by-pid'))
        const ps = JSON.parse((await lab().ctr(['tasks', 'ps', '--json', 'by-pid'])).stdout)
        const { pid } = ps.find((each: { execId?: string }) => each.execId === 'one')
        expect((await kill(pid)).code).toBe(server === 'containerd' ? 1 : 0)
        if (server === 'containerd')
          await lab().ctr(['tasks', 'kill', '--exec-id', 'one', '-s', 'KILL', 'by-pid'])
        const remove = ['tasks', 'rm', '--exec-id', 'one', 'by-pid']
        await expect.poll(async () => (await lab().ctr(remove)).code).toBe(137)
      } finally {
        other.kill('SIGKILL')
        await once(other, 'exit')
      }
    })

    it('a command that is killed leaves a task that others can end, with all that it made', async () => {
      const [file, ...args] = lab().command(
        running(['--rm'], 'orphan', 'sh', '-c', 'echo ready; cat; sleep 1000'),
      )
      const child = spawn(file!, args, { stdio: ['pipe', 'pipe', 'ignore'] })
      let output = ''
      child.stdout.on('data', (chunk) => {
        output += chunk
      })
      await expect.poll(() => output).toBe('ready\n')
      child.kill('SIGKILL')
      await once(child, 'close')
      expect((await lab().ctr(['tasks', 'ls'])).stdout).toMatch(/orphan\s+\d+\s+RUNNING/)
      expect(await lab().ctr(['tasks', 'rm', '-f', 'orphan'])).toMatchObject({ code: 0 })
      expect(await lab().ctr(['containers', 'rm', 'orphan'])).toMatchObject({ code: 0 })
    })

    it('logs shows the file that a task logs to, its last lines, and what is added until it ends', async () => {
      const script = 'trap "echo end; exit 3" USR1; echo 1; echo 2; while true; do sleep 0.05; done'
      const flags = ['--log-uri', `file://${join(lab().directory, 'logged.log')}`]
      await using _ = await started('logged', flags, ['sh', '-c', script])
      const logs = (...args: string[]) => lab().ctr(['logs', ...args])
      const elsewhere = await runCommand('ctr', [
        '-a',
        lab().address,
        '-n',
        'bare',
        'tasks',
        'pause',
        'logged',
      ])
      expect(elsewhere.stderr).toContain(`; namespace "${lab().namespace}" has it: not found`)
      await expect.poll(async () => (await logs('logged')).stdout).toBe('1\n2\n')
      expect(await logs('--tail', '1', 'logged')).toMatchObject({ code: 0, stdout: '2\n' })
      const [stopped, following] = [['-f', '--tail', '1'], ['--follow']].map((args) => {
        const [file, ...words] = lab().command(['logs', ...args, 'logged'])
        const child = spawn(file!, words, { stdio: ['ignore', 'pipe', 'pipe'] })
        const said = { text: '' }
        for (const stream of [child.stdout, child.stderr])
          stream.on('data', (chunk) => {
            said.text += chunk
          })
        return { child, said, closed: once(child, 'close') }
      })
      await expect.poll(() => following!.said.text, { timeout: 30_000 }).toBe('1\n2\n')
      await expect.poll(() => stopped!.said.text, { timeout: 30_000 }).toBe('2\n')
      stopped!.child.kill('SIGINT')
      expect([await stopped!.closed, stopped!.said.text]).toEqual([[130, null], '2\n'])
      await lab().ctr(['tasks', 'kill', 'logged'])
      expect([await following!.closed, following!.said.text]).toEqual([[0, null], '1\n2\nend\n'])
      expect(await logs('-f', 'logged')).toMatchObject({ code: 0, stdout: '1\n2\nend\n' })
    })

    it('logs says how to have a log where there is none', async () => {
      await using _ = await started('silent', ['--null-io'])
      const { code, stderr, stdout } = await lab().ctr(['logs', 'silent'])
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toMatch(/log of container "silent": its output goes .*--log-uri file:\/\/\/PATH/)
      expect((await lab().ctr(['logs', 'absent'])).stderr).toContain('container "absent" in namespace')
      expect((await lab().ctr(['logs', '--since', '1h', 'silent'])).stderr).toContain('have no times')
    })

    it('stats measures what runs, and top tells of its processes', async () => {
      const script = 'while true; do sleep 0.05; done'
      await using _ = await started('busy', ['--memory-limit', '67108864'], ['sh', '-c', script, '\u001b[2J'])
      const measured = await lab().ctr(['stats', '--no-stream', '--interval', '100ms', 'busy'])
      expect({ code: measured.code, stderr: measured.stderr }).toEqual({ code: 0, stderr: '' })
      const [head, row] = measured.stdout.split('\n')
      expect(head).toMatch(/^CONTAINER +IMAGE +CPU % +MEM USAGE \/ LIMIT +MEM % +BLOCK I\/O +PIDS$/)
      expect(row).toMatch(/^busy +\S+ +\d+\.\d\d% +\S+ \S+ \/ 64\.0 MiB +\d/)
      const [one] = JSON.parse(
        (await lab().ctr(['stats', '--no-stream', '--interval', '200ms', '--json'])).stdout,
      )
      expect(one).toMatchObject({ id: 'busy', image: lab().image, memoryLimitBytes: 67_108_864 })
      expect(Math.min(one.cpuPercent, one.pids)).toBeGreaterThan(0)
      expect((await lab().ctr(['stats', 'absent'])).stderr).toContain('container "absent" in namespace')

      const [process] = JSON.parse((await lab().ctr(['top', '--json', 'busy'])).stdout)
      const { pid } = JSON.parse((await lab().ctr(['tasks', 'ls', '--json'])).stdout)[0]
      expect(process).toMatchObject({ pid, uid: 0, command: `sh -c ${script} \u001b[2J` })
      const { stdout } = await lab().ctr(['top', 'busy'])
      expect(stdout).toMatch(
        /^PID +PPID +UID +TIME +COMMAND\n\d+ +\d+ +0 +00:0\d:\d\d +sh -c .*done \\u001b\[2J\n/,
      )
    })

    it('stats ends with the containers that were named', async () => {
      const measured = await started('measured')
      const [file, ...words] = lab().command(['stats', '--json', '--interval', '100ms', 'measured'])
      const child = spawn(file!, words, { stdio: ['ignore', 'pipe', 'inherit'] })
      const [closed, [lines]] = [once(child, 'close'), await once(child.stdout.setEncoding('utf8'), 'data')]
      expect(JSON.parse(lines.split('\n')[0])).toMatchObject([{ id: 'measured' }])
      await measured[Symbol.asyncDispose]()
      expect(await closed).toEqual([0, null])
    })

    it.runIf(server === 'nsbox-server')('every list prints as JSON what its table has', async () => {
      await using _ = await started('listed')
      await lab().ctr(['leases', 'create', '--id', 'listed'])
      const sizes: Record<string, number> = {}
      for (const { path, command } of listsOf(ctrProgram())) {
        const args = command.description().includes('of a container') ? [...path, 'listed'] : path
        const [table, json] = [await lab().ctr(args), await lab().ctr([...args, '--json'])]
        expect({ args, code: json.code, stderr: json.stderr }).toEqual({ args, code: 0, stderr: '' })
        const items: unknown[] = JSON.parse(json.stdout)
        const rows = table.stdout.split('\n').slice(1, -1)
        expect({ args, count: items.length }).toEqual({ args, count: rows.length })
        for (const row of rows) expect(json.stdout).toContain(row.split(/\s/)[0])
        sizes[path.join(' ')] = items.length
      }
      const empty = Object.keys(sizes).filter((name) => sizes[name] === 0)
      await lab().ctr(['leases', 'delete', 'listed'])
      expect(empty).toEqual(['content active', 'deprecations list', 'sandboxes list'])
    })

    it('created containers are started, frozen and removed by force', async () => {
      await lab().stock(['containers', 'create', lab().image, 'made', 'sh', '-c', 'echo made; exit 6'])
      const once = await lab().ctr(['tasks', 'start', '--fifo-dir', lab().fifos, 'made'])
      expect([once.code, once.stdout]).toEqual([6, 'made\n'])
      await lab().stock(['containers', 'rm', 'made'])
      await lab().stock(['containers', 'create', lab().image, 'made', 'sleep', '1000'])
      await lab().ctr(['tasks', 'start', '-d', '--fifo-dir', lab().fifos, '--no-pivot', 'made'])
      await lab().ctr(['tasks', 'pause', 'made'])
      expect((await lab().ctr(['tasks', 'ls'])).stdout).toContain('PAUSED')
      expect(await lab().ctr(['tasks', 'rm', '-f', 'made'])).toMatchObject({ code: 0 })
      await lab().stock(['containers', 'rm', 'made'])
    })
  })
})
