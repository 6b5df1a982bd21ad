import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFifo } from '@nsbox/sys/descriptors'
import { readFifo } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openSupervisor } from './open-supervisor.ts'
import type { LaunchPaths, Supervisor } from './supervisor.ts'
import { SupervisorFixture } from './testing/supervised-shell.ts'

describeWith({ linux: true }, 'launching', () => {
  let fixture: SupervisorFixture
  let supervisor: Supervisor
  beforeAll(async () => {
    fixture = await SupervisorFixture.create()
    supervisor = await fixture.open()
  })
  afterEach(() => fixture.clear())
  afterAll(() => fixture[Symbol.asyncDispose]())

  test('a process is told with its number, runs on, and its status and time are told when it ends', async () => {
    const before = Date.now()
    const process = await fixture.launch(supervisor, 'sleep 0.2; exit 7')
    expect(process.ended).toBeUndefined()
    expect(readFileSync(`/proc/${process.pid}/cmdline`, 'utf8')).toContain('sh')
    const exit = await process.exit
    expect(exit.exitStatus).toBe(7)
    expect(exit.exitedAt.epochMilliseconds).toBeGreaterThan(before)
    expect(process.ended).toEqual(exit)
    await process.drained
    await process.release()
    expect(supervisor.processes()).toEqual([])
  })

  test('a signal that ends a process is its status', async () => {
    const process = await fixture.launch(supervisor, 'exec sleep 60')
    process.signal(15)
    expect(await process.exit).toMatchObject({ exitStatus: 143 })
    expect(() => process.signal(15)).toThrow(expect.objectContaining({ code: 'not_found' }))
  })

  test('the end is on disk before it is told, and is gone with the process', async () => {
    const process = await fixture.launch(supervisor, 'sleep 0.1; exit 3')
    await process.exit
    const [name] = readdirSync(fixture.directory)
    const records = join(fixture.directory, name!, 'records')
    const [record] = readdirSync(records)
    expect(JSON.parse(readFileSync(join(records, record!), 'utf8'))).toMatchObject({
      exit: { exitStatus: 3 },
    })
    await process.release()
    expect(readdirSync(records)).toEqual([])
    expect(readdirSync(join(fixture.directory, name!, 'launches'))).toEqual([])
  })

  test('two hundred processes that end at once all tell their own status, and leave no zombie', async () => {
    const launches = Array.from({ length: 200 }, (_, index) =>
      fixture.launch(supervisor, `exit ${index % 100}`),
    )
    const exits = await Promise.all((await Promise.all(launches)).map((process) => process.exit))
    expect(exits.map(({ exitStatus }) => exitStatus)).toEqual(exits.map((_, index) => index % 100))
    await expect.poll(() => childrenOf(fixture.supervisors()[0]!)).toEqual([])
  }, 60_000)

  test('orphans of a process are waited for, also while launches go on', async () => {
    const orphans = await fixture.launch(
      supervisor,
      'for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.0$i) & done; exit 0',
    )
    await orphans.exit
    for (let i = 0; i < 10; i++) await (await fixture.launch(supervisor, 'sleep 0.01')).exit
    await expect.poll(() => childrenOf(fixture.supervisors()[0]!)).toEqual([])
  })

  test('a key names one process until that is released', async () => {
    const process = await fixture.launch(supervisor, 'sleep 0.1', { key: 'one' })
    await expect(fixture.launch(supervisor, 'true', { key: 'one' })).rejects.toMatchObject({
      code: 'already_exists',
    })
    expect(supervisor.process('one')).toBe(process)
    await process.exit
    await expect(fixture.launch(supervisor, 'true', { key: 'one' })).rejects.toMatchObject({
      code: 'already_exists',
    })
    await process.release()
    await process.release()
    expect(supervisor.process('one')).toBeUndefined()
    await expect(fixture.launch(supervisor, 'sleep 0.1', { key: 'one' })).resolves.toMatchObject({
      key: 'one',
    })
  })

  test('a program that fails is told with its status and what it said, and leaves its key free', async () => {
    const command = () => ['sh', '-c', 'echo no such container >&2; exit 12']
    const stderr = join(fixture.dir.path, 'err')
    const launch = fixture.launch(supervisor, '', { key: 'one', command, stdout: `file://${stderr}` })
    await expect(launch).rejects.toMatchObject({
      code: 'unknown',
      details: { exitCode: 12, stderr: 'no such container\n' },
    })
    expect(supervisor.process('one')).toBeUndefined()
    await fixture.launch(supervisor, 'sleep 0.1', { key: 'one' })
  })

  test.each([
    ['that is missing', () => ['/nonexistent/runc'], 'not_found', /"\/nonexistent\/runc"/],
    ['that is no program', () => ['/etc/passwd'], 'permission_denied', /passwd/],
    ['that writes no pid', () => ['true'], 'failed_precondition', /no pid/],
    [
      'that writes something else',
      (p: { pidFile: string }) => ['sh', '-c', `echo -1 >${p.pidFile}`],
      'failed_precondition',
      /"-1\\n"/,
    ],
    ['that is none', () => [], 'invalid_argument', /nothing to launch/],
  ])('a program %s is refused', async (_, command, code, message) => {
    const launch = fixture.launch(supervisor, '', { command })
    await expect(launch).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('a program that takes too long is killed', async () => {
    const launch = fixture.launch(supervisor, '', { command: () => ['sleep', '60'], timeout: 50 })
    await expect(launch).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await expect.poll(() => childrenOf(fixture.supervisors()[0]!)).toEqual([])
  })

  test('a launch that is aborted kills the program and the process that it has made', async () => {
    const pidFile = join(fixture.dir.path, 'pid')
    const script = (paths: { pidFile: string }) =>
      `sleep 60 & printf %s $! >'${paths.pidFile}'; cp ${paths.pidFile} ${pidFile}; sleep 60`
    const controller = new AbortController()
    const launch = supervisor.launch(
      {
        key: 'one',
        command: (paths) => ['sh', '-c', script(paths)],
        stdin: '',
        stdout: '',
        stderr: '',
        terminal: false,
      },
      { signal: controller.signal },
    )
    await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8')).toMatch(/\d/)
    controller.abort()
    await expect(launch).rejects.toBe(controller.signal.reason)
    await expect.poll(() => existsSync(`/proc/${readFileSync(pidFile, 'utf8')}`)).toBe(false)
    expect(supervisor.process('one')).toBeUndefined()
    await expect(supervisor.warm({ signal: AbortSignal.abort() })).rejects.toThrow()
  })

  test('a process inherits its three descriptors and no other', async () => {
    const log = join(fixture.dir.path, 'log')
    const process = await fixture.launch(supervisor, 'exec ls /proc/self/fd', { stdout: `file://${log}` })
    await process.drained
    // Besides the three, the descriptor of the directory that ls reads.
    expect(readFileSync(log, 'utf8')).toBe('0\n1\n2\n3\n')
  })

  test('a process knows none of the client’s variables but a few, and those that it was given', async () => {
    const log = join(fixture.dir.path, 'log')
    process.env.NSBOX_TEST_SECRET = 'x'
    const launched = await fixture.launch(supervisor, 'exec env', {
      stdout: `file://${log}`,
      env: { GIVEN: 'yes' },
    })
    await launched.drained
    const names = readFileSync(log, 'utf8')
      .split('\n')
      .map((line) => line.split('=')[0])
    expect(names).toContain('GIVEN')
    expect(names).toContain('PATH')
    expect(names).not.toContain('NODE_OPTIONS')
    // A process that was started before may still run.
    expect(names).not.toContain('NSBOX_TEST_SECRET')
    delete process.env.NSBOX_TEST_SECRET
  })

  test('the supervisor is its owner’s only, has its own session, and goes first where memory runs out', async () => {
    await supervisor.warm()
    const [pid] = fixture.supervisors()
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
    expect(Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'))).toBe(Math.min(own + 1, 1000))
    expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[3]).toBe(String(pid))
    const [name] = readdirSync(fixture.directory)
    const mode = (...path: string[]) => (statSync(join(fixture.directory, ...path)).mode & 0o777).toString(8)
    expect([mode(), mode(name!), mode(name!, 'control'), mode(name!, 'descriptors')]).toEqual([
      '700',
      '700',
      '600',
      '600',
    ])
    expect([mode(name!, 'records'), mode(name!, 'launches'), mode(name!, 'log')]).toEqual([
      '700',
      '700',
      '600',
    ])
  })

  test('a directory that others may enter is closed to them, and one that no socket fits into is refused', async () => {
    chmodSync(fixture.directory, 0o755)
    await fixture.leave(supervisor)
    supervisor = await fixture.open()
    expect(statSync(fixture.directory).mode & 0o777).toBe(0o700)
    const directory = join(fixture.dir.path, 'x'.repeat(100))
    for (const path of [directory, 'relative'])
      await expect(openSupervisor({ directory: path })).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(existsSync(directory)).toBe(false)
  })

  test('a hundred processes, one after the other, leave no descriptor, child or file', async () => {
    await supervisor.warm()
    const [pid] = fixture.supervisors()
    const counts = () => ({
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      own: readdirSync('/proc/self/fd').length,
      children: childrenOf(pid!).length,
      files: readdirSync(fixture.directory, { recursive: true }).length,
    })
    const before = counts()
    const log = `file://${join(fixture.dir.path, 'cycles')}`
    for (let i = 0; i < 100; i++) {
      const process = await fixture.launch(supervisor, 'echo x; exit 1', { stdout: log })
      expect(await process.exit).toMatchObject({ exitStatus: 1 })
      await process.drained
      await process.release()
    }
    expect(counts()).toEqual(before)
  })

  test('a terminal that the program does not send is a failure', async () => {
    const command = ({ pidFile }: LaunchPaths) => ['sh', '-c', `sleep 60 & echo -n $! >${pidFile}`]
    const launch = fixture.launch(supervisor, '', { command, terminal: true })
    await expect(launch).rejects.toMatchObject({ code: 'failed_precondition' })
    const [pid] = fixture.supervisors()
    await expect.poll(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')).toBe('')
  })

  test('a supervisor without processes ends when its client leaves', async () => {
    await supervisor.warm()
    expect(fixture.supervisors()).toHaveLength(1)
    await fixture.leave(supervisor)
    await expect.poll(() => fixture.supervisors()).toEqual([])
    expect(readdirSync(fixture.directory)).toEqual([])
    supervisor = await fixture.open()
  })
})

/** Children of a process, zombies included. */
function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
}

describeWith({ linux: true }, 'a program that is the process itself', () => {
  test('has pipes and a session of its own, and is told how it ended', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    const [stdin, stdout] = [join(fixture.dir.path, 'in'), join(fixture.dir.path, 'out')]
    makeFifo(stdin, 0o600)
    const command = ['sh', '-c', 'cat; echo "$A"; cut -d " " -f 6 /proc/$$/stat >&2; exit 5']
    const io = { stdin, stdout: `file://${stdout}`, stderr: `file://${stdout}.err` }
    const launched = await supervisor.launch({ key: 'one', command, ...io, env: { A: 'b' } })
    writeFileSync(stdin, 'some input\n')
    await launched.closeStdin()
    expect(await launched.exit).toMatchObject({ exitStatus: 5 })
    await launched.drained
    expect(readFileSync(stdout, 'utf8')).toBe('some input\nb\n')
    expect(readFileSync(`${stdout}.err`, 'utf8')).toBe(`${launched.pid}\n`)
    const missing = supervisor.launch({ key: 'two', command: ['nsbox-no-such-program'] })
    await expect(missing).rejects.toMatchObject({ code: 'not_found' })
    await expect(supervisor.launch({ key: 'two', command: [] })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  test('has a terminal that controls it, of the size that it is given', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    const [stdin, stdout] = [join(fixture.dir.path, 'in'), join(fixture.dir.path, 'out')]
    for (const path of [stdin, stdout]) makeFifo(path, 0o600)
    const reader = readFifo(stdout)
    const command = ['sh', '-c', 'stty -echo; tty; echo here >/dev/tty; read line; stty size; exec sleep 600']
    const launched = await supervisor.launch({ key: 'one', command, stdin, stdout, terminal: true })
    await expect.poll(reader.text).toMatch(/^\/dev\/pts\/\d+\r\nhere\r\n$/)
    launched.resize({ width: 132, height: 43 })
    writeFileSync(stdin, '\n')
    await expect.poll(reader.text).toContain('43 132\r\n')
    // The key that interrupts the terminal's foreground processes.
    writeFileSync(stdin, '\u0003')
    expect(await launched.exit).toMatchObject({ exitStatus: 130 })
    await launched.drained
    await reader.ended
  })
})
