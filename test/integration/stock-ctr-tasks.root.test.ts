import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type LeakWatch, startProcess, TestTerminal, watchLeaks } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { ofProvedRunc, startServer, type TestServer } from './programs.ts'
import { useShell } from './shell-at-terminal.ts'

const needed = { root: true, linux: true, programs: ['ctr', 'runc', 'busybox', 'script'] } as const

describeWith(needed, 'stock ctr 1.7 with tasks', () => {
  const resources = new AsyncDisposableStack()
  let server: TestServer
  let lab: ContainerLab
  let watch: LeakWatch
  /** Stock ctr leaves directories there by itself, of what was detached. */
  let fifos: string

  beforeAll(async () => {
    server = resources.use(await startServer())
    lab = resources.use(await openContainerLab(server.address, 'stock-ctr-tasks'))
    fifos = join(lab.directory, 'stock-fifos')
    await ctr('run', '--rm', '--fifo-dir', fifos, lab.image, 'warm', 'true')
    watch = await watchLeaks({
      directories: [server.state],
      lasting: ofProvedRunc,
      processes: async () => {
        const [supervisor] = await server.supervisors()
        return { daemon: server.process.pid, supervisor: supervisor! }
      },
      cgroups: [lab.namespace],
    })
  })
  afterAll(() => resources.disposeAsync())
  afterEach(async () => {
    expect(await lab.leftovers()).toEqual([])
    expect(await watch.leaks()).toEqual([])
  })

  /** What it prints on standard output, where it succeeds. */
  async function ctr(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await lab.stock(args)
    expect({ args, code, stderr: code === 0 ? '' : stderr }).toEqual({ args, code: 0, stderr: '' })
    return stdout
  }
  const flags = (...more: string[]) => ['run', '--fifo-dir', fifos, ...more, lab.image]
  /** A container that runs until it is removed. */
  async function started(id: string, ...program: string[]): Promise<AsyncDisposable> {
    await ctr(...flags('-d'), id, ...(program.length > 0 ? program : ['sleep', '1000']))
    return {
      [Symbol.asyncDispose]: async () => {
        await lab.stock(['tasks', 'rm', '-f', id])
        await ctr('containers', 'rm', id)
      },
    }
  }
  const status = async (id: string) =>
    new RegExp(`^${id} +\\d+ +(\\w+)`, 'm').exec(await ctr('tasks', 'ls'))?.[1]
  const command = (...args: string[]) => ['/usr/bin/ctr', '-a', server.address, '-n', lab.namespace, ...args]

  it('run takes the older names of the runtime', async () => {
    for (const name of ['io.containerd.runc.v1', 'io.containerd.runtime.v1.linux'])
      expect(await ctr(...flags('--rm', '--runtime', name), 'older', 'echo', name)).toBe(`${name}\n`)
  })

  it('run gives output, input to its end, and the exit status', async () => {
    const script = 'echo out; echo err >&2; wc -c; exit 7'
    // Less and more than the pipes on its way hold, so that it ends before the container runs, and while it does.
    for (const bytes of [5, 200_000, 8_000_000]) {
      const input = Buffer.alloc(bytes, 'x')
      const { code, stdout, stderr } = await lab.stock([...flags('--rm'), 'once', 'sh', '-c', script], {
        input,
      })
      expect([code, stdout, stderr]).toEqual([7, `out\n${bytes}\n`, 'err\n'])
    }
    const missing = await lab.stock([...flags('--rm'), 'missing', '/nowhere'])
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/\/nowhere.*no such file/)])
  })

  it('run -d goes on; its task is listed, looked into, measured, frozen, killed and removed', async () => {
    await using _ = await started('kept', 'sh', '-c', 'trap "exit 6" TERM; while true; do sleep 0.1; done')
    expect(await status('kept')).toBe('RUNNING')
    expect(await ctr('tasks', 'ls', '-q')).toBe('kept\n')
    const pid = /^kept +(\d+)/m.exec(await ctr('tasks', 'ls'))![1]!
    const exec = ['tasks', 'exec', '--fifo-dir', fifos, '--exec-id']
    expect(await ctr(...exec, 'one', 'kept', 'sh', '-c', 'echo inside; hostname')).toContain('inside\n')
    const failing = await lab.stock([...exec, 'two', 'kept', 'sh', '-c', 'cat; exit 3'], { input: 'said' })
    expect([failing.code, failing.stdout]).toEqual([3, 'said'])
    const ended = await lab.stock([...exec, 'killed', 'kept', 'sh', '-c', 'kill -9 $$'])
    expect(ended.code).toBe(137)
    await ctr(...exec, 'three', '-d', 'kept', 'sleep', '1000')
    const ps = await ctr('tasks', 'ps', 'kept')
    expect(ps).toMatch(new RegExp(`^PID +INFO *\n${pid} +-`))
    expect(ps).toMatch(/^\d+ +exec_id:"three"/m)
    await ctr('tasks', 'kill', '-s', 'SIGKILL', '--exec-id', 'three', 'kept')
    expect(await ctr('tasks', 'metrics', 'kept')).toMatch(/^ID +TIMESTAMP *\nkept +seconds:\d+/)
    expect(await ctr('tasks', 'metrics', 'kept')).toMatch(/^pids\.current +[1-9]/m)
    const json = JSON.parse(await ctr('tasks', 'metrics', '--format', 'json', 'kept'))
    expect(json).toMatchObject({ pids: { current: expect.any(Number) } })
    await ctr('tasks', 'pause', 'kept')
    expect(await status('kept')).toBe('PAUSED')
    await ctr('tasks', 'resume', 'kept')
    expect(await status('kept')).toBe('RUNNING')
    const refused = await lab.stock(['tasks', 'rm', 'kept'])
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('must be stopped before deletion'),
    ])
    await ctr('tasks', 'kill', 'kept')
    await expect.poll(() => status('kept')).toBe('STOPPED')
    const removed = await lab.stock(['tasks', 'rm', 'kept'])
    expect([removed.code, removed.stderr]).toEqual([0, expect.stringContaining('non-zero exit code 6')])
    expect(await ctr('tasks', 'ls', '-q')).toBe('')
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    await ctr('tasks', 'start', '-d', '--fifo-dir', fifos, 'kept')
    expect(await status('kept')).toBe('RUNNING')
  })

  it('containers are made first and started later, attached to while they run', async () => {
    await ctr('containers', 'create', lab.image, 'made', 'sh', '-c', 'echo made; exit 5')
    const { code, stdout } = await lab.stock(['tasks', 'start', '--fifo-dir', fifos, 'made'])
    expect([code, stdout]).toEqual([5, 'made\n'])
    await ctr('containers', 'rm', 'made')
    const script = 'until [ -e /go ]; do echo waits; sleep 0.1; done; echo seen; exit 4'
    await using _ = await started('attached', 'sh', '-c', script)
    const [program, ...args] = command('tasks', 'attach', 'attached')
    await using attached = await startProcess(program!, args, { ready: /waits/ })
    const pid = /^attached +(\d+)/m.exec(await ctr('tasks', 'ls'))![1]!
    await writeFile(`/proc/${pid}/root/go`, '')
    expect((await attached.exited).code).toBe(4)
    await expect.poll(() => attached.output).toMatch(/^(waits\n)+seen\n$/)
  })

  it('output goes nowhere, or where a URI says', async () => {
    const nothing = await lab.stock([
      ...flags('--rm', '--null-io'),
      'nowhere',
      'sh',
      '-c',
      'echo said; exit 2',
    ])
    expect([nothing.code, nothing.stdout]).toEqual([2, ''])
    const log = join(lab.directory, 'logs', 'file')
    await ctr(...flags('-d', '--log-uri', `file://${log}`), 'logged', 'sh', '-c', 'echo out; echo err >&2')
    await expect.poll(() => status('logged')).toBe('STOPPED')
    await ctr('tasks', 'rm', 'logged')
    await ctr('containers', 'rm', 'logged')
    expect((await readFile(log, 'utf8')).split('\n').sort()).toEqual(['', 'err', 'out'])
  })

  it('run -t has a raw terminal that tells its size, and an exit status', async () => {
    const run = command(...flags('--rm', '-t'), 'terminal', 'sh').join(' ')
    await using terminal = await TestTerminal.start(['sh', '-c', `${run}; echo ended $?; read wait`])
    await terminal.resize({ width: 91, height: 33 })
    await terminal.waitFor(/# /)
    // Stock ctr tells the size after the start, so the shell may be there before.
    await expect
      .poll(() => {
        terminal.type('stty size; tty\r')
        return terminal.output
      })
      .toMatch(/33 91\s+\/dev\/pts\/0/)
    await useShell(terminal)
  })

  it('a terminal that is closed leaves the task, which can be attached to', async () => {
    {
      const run = command(...flags('-t'), 'left', 'sh')
      await using terminal = await TestTerminal.start(run)
      await terminal.waitFor(/# /)
      terminal.type('kept=here\r')
      await terminal.waitFor(/kept=here/)
    }
    expect(await status('left')).toBe('RUNNING')
    const attach = command('tasks', 'attach', 'left').join(' ')
    await using again = await TestTerminal.start(['sh', '-c', `${attach}; echo ended $?; read wait`])
    // Nothing tells when it has been attached.
    await expect
      .poll(() => {
        again.type('echo "is $kept"\r')
        return again.output.includes('is here')
      })
      .toBe(true)
    again.type('exit 3\r')
    await again.waitFor(/ended 3/)
    await lab.stock(['tasks', 'rm', 'left'])
    await ctr('containers', 'rm', 'left')
  })
})
