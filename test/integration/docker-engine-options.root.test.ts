import { TestTerminal } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { beforeEach, expect, it } from 'vitest'
import { type EngineLab, engineNeeds, useEngine } from './docker-engine.ts'
import { takesSize } from './takes-size.ts'

describeWith(engineNeeds, 'containers of Docker Engine', () => {
  const engine = useEngine()
  let lab: EngineLab
  let image: string
  beforeEach(() => {
    ;({ lab, image } = engine())
  })

  /** Runs a script to its end. */
  const run = (flags: readonly string[], script: string) =>
    lab.docker(['run', '--network', 'none', ...flags, image, 'sh', '-c', script])
  const removed = (name: string): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => void (await lab.told(['rm', '-f', name])),
  })

  it('have a terminal of the right size, which follows changes and can be attached to again', async () => {
    await using _ = removed('seat')
    const shell = (command: string) => ['sh', '-c', `docker ${command}; echo ended $?; read wait`]
    {
      const command = shell(`run -it --network none --name seat ${image}`)
      await using terminal = await TestTerminal.start(command, { env: lab.env })
      await terminal.waitFor(/# /)
      await takesSize(terminal, { width: 87, height: 29 })
      await takesSize(terminal, { width: 53, height: 19 })
      // The client goes as soon as it sees the keys that detach, whatever became of those before.
      terminal.type('kept=value; echo took $kept\r')
      await terminal.waitFor(/took value/)
      terminal.type('\x10\x11')
      await terminal.waitFor(/ended 0/)
    }
    await using terminal = await TestTerminal.start(shell('attach seat'), { env: lab.env })
    await takesSize(terminal, { width: 61, height: 17 })
    terminal.type('echo has $kept\r')
    await terminal.waitFor(/has value/)
    terminal.type('exit 4\r')
    await terminal.waitFor(/ended 4/)
    expect(await lab.told(['wait', 'seat'])).toBe('4')
  })

  it('are said to have been killed for want of memory', async () => {
    await using _ = removed('greedy')
    const limits = ['--memory', '32m', '--memory-swap', '32m']
    const { code } = await run(['--name', 'greedy', ...limits], 'x=a; while :; do x=$x$x; done')
    expect(code).toBe(137)
    expect(await lab.told(['inspect', '-f', '{{.State.OOMKilled}}', 'greedy'])).toBe('true')
  })

  it('have limits that hold, and can be changed while they run', async () => {
    await using _ = removed('limited')
    const pids = await run(['--rm', '--pids-limit', '20'], 'for i in $(seq 20); do sleep 100 & done')
    expect([pids.code, pids.stderr]).toEqual([2, "sh: can't fork: Resource temporarily unavailable\n"])

    const limit = async () => {
      const files = ['memory/memory.limit_in_bytes', 'memory.max'].map((name) => `/sys/fs/cgroup/${name}`)
      return await lab.told(['exec', 'limited', 'sh', '-c', `cat ${files.join(' || cat ')}`])
    }
    const flags = ['--network', 'none', '--memory', '32m', '--memory-swap', '32m']
    await lab.told(['run', '-d', '--name', 'limited', ...flags, image, 'sleep', '1000'])
    expect(await limit()).toBe(String(32 << 20))
    await lab.told(['update', '--memory', '48m', '--memory-swap', '48m', 'limited'])
    expect(await limit()).toBe(String(48 << 20))
  })

  it('have root filesystems that they cannot write to, and others that they can', async () => {
    const { code, stdout, stderr } = await run(
      ['--rm', '--read-only', '--tmpfs', '/scratch', '-v', 'shared:/shared'],
      'echo kept > /shared/file; echo gone > /scratch/file; cat /scratch/file; echo never > /srv/data',
    )
    expect([code, stdout]).toEqual([1, 'gone\n'])
    expect(stderr).toBe("sh: can't create /srv/data: Read-only file system\n")
    const second = await run(['--rm', '-v', 'shared:/shared'], 'cat /shared/file /srv/data')
    expect([second.code, second.stdout]).toEqual([0, 'kept\ndata\n'])
    await lab.told(['volume', 'rm', 'shared'])
  })

  it('are healthy, and are started again by policy', async () => {
    await using stack = new AsyncDisposableStack()
    for (const name of ['healthy', 'again']) stack.use(removed(name))
    const state = (name: string, field: string) => lab.told(['inspect', '-f', `{{${field}}}`, name])
    const started = ['run', '-d', '--network', 'none', '--name']
    const health = ['--health-cmd', 'test -e /ok', '--health-interval', '100ms', '--health-retries', '1000']
    await lab.told([...started, 'healthy', ...health, image, 'sleep', '1000'])
    await lab.told([...started, 'again', '--restart', 'on-failure:2', image, 'sh', '-c', 'echo on; exit 5'])
    expect(await state('healthy', '.State.Health.Status')).toBe('starting')
    await lab.told(['exec', 'healthy', 'touch', '/ok'])
    await expect.poll(() => state('healthy', '.State.Health.Status')).toBe('healthy')
    await expect
      .poll(() => state('again', '.RestartCount}} {{.State.Status}} {{.State.ExitCode'))
      .toBe('2 exited 5')
    expect(await lab.told(['logs', 'again'])).toBe('on\non\non')
  })
})
