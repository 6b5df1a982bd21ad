import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errorCode } from '@nsbox/errors'
import { makeFifo } from '@nsbox/sys/descriptors'
import { readFifo } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SupervisedProcess } from './supervisor.ts'
import { openFiles } from './testing/open-files.ts'
import { gone, SupervisorFixture } from './testing/supervised-shell.ts'

const inherited = '/etc/passwd'

describeWith({ linux: true }, 'survival', () => {
  let fixture: SupervisorFixture
  const clients: ChildProcess[] = []
  beforeEach(async () => {
    fixture = await SupervisorFixture.create()
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.kill('SIGKILL')
    await fixture[Symbol.asyncDispose]()
  })

  const newFifo = (name: string) => {
    const path = join(fixture.dir.path, name)
    makeFifo(path, 0o600)
    return path
  }

  const recordOf = (key: string) => fixture.records().find((record) => record.key === key)

  /** A client that launches processes, by key, and is then killed. */
  async function killedClient(
    launches: Record<string, { script: string; stdin?: string; stdout?: string }>,
  ): Promise<void> {
    const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
    const script = `
      const { openSupervisor } = await import(${url('./open-supervisor.ts')})
      const { shell } = await import(${url('./testing/supervised-shell.ts')})
      const supervisor = await openSupervisor({ directory: ${JSON.stringify(fixture.directory)} })
      const io = { stdin: '', stdout: '', stderr: '', terminal: false }
      for (const [key, { script, ...more }] of Object.entries(${JSON.stringify(launches)}))
        await supervisor.launch({ key, command: shell(script), ...io, ...more })
      console.log('up')
      await new Promise(() => setInterval(() => undefined, 1000))`
    const args = ['--conditions=@nsbox/source', '--import', 'tsx', '--input-type=module', '-e', script]
    // The parent of a client may leave descriptors open.
    const inheriting = ['-c', `exec "$@" 99<${inherited}`, 'bash', process.execPath, ...args]
    const client = spawn('bash', inheriting, { stdio: ['ignore', 'pipe', 'inherit'] })
    clients.push(client)
    await once(client.stdout!, 'data')
    client.kill('SIGKILL')
    await once(client, 'exit')
  }

  /** A process whose client has left, and the pid of its supervisor. */
  async function leftRunning(): Promise<{ running: SupervisedProcess; pid: number }> {
    const client = await fixture.open()
    const running = await fixture.launch(client, 'exec sleep 60', { key: 'one' })
    await fixture.leave(client)
    return { running, pid: fixture.supervisors()[0]! }
  }

  test('a client that is killed finds its processes again, running or ended, and their input and output', async () => {
    const [stdin, stdout] = [newFifo('in'), newFifo('out')]
    const reader = readFifo(stdout)
    await killedClient({
      runs: { script: 'cat; echo end', stdin, stdout },
      ended: { script: 'sleep 0.3; exit 5' },
    })
    writeFileSync(stdin, 'while nobody is there\n')
    await expect.poll(reader.text).toBe('while nobody is there\n')
    await delay(400)
    const supervisor = await fixture.open()
    expect(
      supervisor
        .processes()
        .map(({ key }) => key)
        .sort(),
    ).toEqual(['ended', 'runs'])
    expect(await supervisor.process('ended')!.exit).toMatchObject({ exitStatus: 5 })
    await supervisor.process('ended')!.drained
    const runs = supervisor.process('runs')!
    expect(runs.ended).toBeUndefined()
    expect(runs.io).toEqual({ stdin, stdout, stderr: '', terminal: false })
    await runs.closeStdin()
    expect(await runs.exit).toMatchObject({ exitStatus: 0 })
    expect(await reader.ended).toBe('while nobody is there\nend\n')
    expect(fixture.supervisors()).toHaveLength(1)
    expect(fixture.warnings).toEqual([])
  })

  test('B18 a supervisor has no descriptor that its client has inherited', async () => {
    await killedClient({ one: { script: 'exec sleep 60' } })
    const [pid] = fixture.supervisors()
    expect(openFiles(pid!)).not.toContain(inherited)
  })

  for (const signalled of ['before', 'after'] as const)
    test(`a supervisor terminated ${signalled} its last process ends without a client and loses nothing`, async () => {
      await killedClient({
        first: { script: 'exit 5' },
        last: { script: `while [ ! -e ${fixture.dir.path}/go ]; do sleep 0.01; done; exit 6` },
      })
      const [pid] = fixture.supervisors()
      const terminate = () => process.kill(pid!, 'SIGTERM')
      if (signalled === 'before') terminate()
      await expect.poll(() => recordOf('first')?.exit).toMatchObject({ exitStatus: 5 })
      expect(fixture.supervisors()).toEqual([pid])
      writeFileSync(join(fixture.dir.path, 'go'), '')
      await expect.poll(() => recordOf('last')?.exit).toMatchObject({ exitStatus: 6 })
      if (signalled === 'after') terminate()
      await gone(pid!)
      const supervisor = await fixture.open()
      const ends = supervisor.processes().map(({ key, ended }) => [key, ended?.exitStatus])
      expect(ends.sort()).toEqual([
        ['first', 5],
        ['last', 6],
      ])
      expect(fixture.warnings).toEqual([])
    })

  test('a supervisor whose client never returns ends some seconds after its last process', async () => {
    await killedClient({ only: { script: 'exit 4' } })
    const [pid] = fixture.supervisors()
    await expect.poll(() => recordOf('only')?.exit).toMatchObject({ exitStatus: 4 })
    expect(fixture.supervisors()).toEqual([pid])
    await expect.poll(() => fixture.supervisors(), { timeout: 25_000, interval: 200 }).toEqual([])
    expect(recordOf('only')?.exit).toMatchObject({ exitStatus: 4 })
  })

  test('a client that leaves finds its processes again, and they can be released', async () => {
    const first = await fixture.open()
    await fixture.launch(first, 'exec sleep 60', { key: 'one' })
    await fixture.leave(first)
    const second = await fixture.open()
    const process = second.process('one')!
    process.signal(9)
    expect(await process.exit).toMatchObject({ exitStatus: 137 })
    await process.release()
    await fixture.leave(second)
    await expect.poll(() => fixture.supervisors()).toEqual([])
  })

  test('a launch whose client leaves is cancelled, and its key is free for the next one', async () => {
    const first = await fixture.open()
    await fixture.launch(first, 'exec sleep 60', { key: 'kept' })
    const started = join(fixture.dir.path, 'started')
    const command = () => ['sh', '-c', `echo $$ >${started}; exec sleep 60`]
    const launch = fixture.launch(first, '', { key: 'one', command })
    launch.catch(() => undefined)
    await expect.poll(() => existsSync(started) && readFileSync(started, 'utf8')).toMatch(/\d/)
    await fixture.leave(first)
    await expect(launch).rejects.toMatchObject({ code: 'unavailable' })
    await gone(Number(readFileSync(started, 'utf8')))
    const second = await fixture.open()
    expect(second.processes().map(({ key }) => key)).toEqual(['kept'])
    await expect(fixture.launch(second, 'exec sleep 60', { key: 'one' })).resolves.toMatchObject({
      key: 'one',
    })
  })

  test('a supervisor that is killed is replaced, and its processes notice nothing', async () => {
    const supervisor = await fixture.open()
    const [stdin, stdout, ticks] = [newFifo('in'), newFifo('out'), newFifo('ticks')]
    const [reader, tickReader] = [readFifo(stdout), readFifo(ticks)]
    const cat = await fixture.launch(supervisor, 'cat; exit 9', { stdin, stdout })
    const count =
      'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo $i; [ $((i % 100)) = 0 ] && sleep 0.01; done; exit 4'
    const writer = await fixture.launch(supervisor, count, { stdout: ticks })
    const log = join(fixture.dir.path, 'log')
    const logged = await fixture.launch(supervisor, count, { stdout: `file://${log}` })
    const over = await fixture.launch(supervisor, 'sleep 0; exit 3')
    await over.exit
    writeFileSync(stdin, 'before\n')
    await expect.poll(reader.text).toBe('before\n')

    for (let time = 0; time < 2; time++) {
      const [pid] = fixture.supervisors()
      process.kill(pid!, 'SIGKILL')
      await gone(pid!)
      writeFileSync(stdin, `after ${time}\n`)
      await expect.poll(reader.text).toContain(`after ${time}\n`)
      expect(fixture.supervisors()).toHaveLength(1)
    }

    await cat.closeStdin()
    // Since Linux 6.15 the kernel gives the exit status of processes that are not the supervisor's children.
    expect([9, 255]).toContain((await cat.exit).exitStatus)
    expect([4, 255]).toContain((await writer.exit).exitStatus)
    expect(await reader.ended).toBe('before\nafter 0\nafter 1\n')
    const numbers = Array.from({ length: 3000 }, (_, index) => `${index + 1}\n`).join('')
    expect(await tickReader.ended).toBe(numbers)
    await logged.drained
    expect(readFileSync(log, 'utf8')).toBe(numbers)
    expect(over.ended).toMatchObject({ exitStatus: 3 })
    await over.release()
    expect(supervisor.process(over.key)).toBeUndefined()
    expect(await (await fixture.launch(supervisor, 'sleep 0; exit 6')).exit).toMatchObject({ exitStatus: 6 })
  })

  test('supervisors that are killed at any moment, one after the other, lose no output and no status', async () => {
    const supervisor = await fixture.open()
    const count =
      'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo $i; [ $((i % 100)) = 0 ] && sleep 0.03; done; exit 4'
    const outputs = await Promise.all(
      [1, 2, 3, 4].map(async (number) => {
        const fifo = newFifo(`out${number}`)
        const reader = readFifo(fifo)
        const process = await fixture.launch(supervisor, count, { stdout: fifo })
        return { process, reader }
      }),
    )
    for (let time = 0; time < 4; time++) {
      await delay(time * 97)
      for (const pid of fixture.supervisors()) process.kill(pid, 'SIGKILL')
    }
    const numbers = Array.from({ length: 2000 }, (_, index) => `${index + 1}\n`).join('')
    for (const { process, reader } of outputs) {
      expect([4, 255]).toContain((await process.exit).exitStatus)
      await process.drained
      expect(await reader.ended).toBe(numbers)
    }
  })

  test('what ends while no supervisor is there is told by the next one', async () => {
    const supervisor = await fixture.open()
    const process = await fixture.launch(supervisor, 'sleep 0.2; exit 8')
    const [pid] = fixture.supervisors()
    globalThis.process.kill(pid!, 'SIGSTOP')
    await expect.poll(() => existsSync(`/proc/${process.pid}`) && stateOf(process.pid)).not.toBe('S')
    globalThis.process.kill(pid!, 'SIGKILL')
    expect([8, 255]).toContain((await process.exit).exitStatus)
    await process.drained
  })

  test('E11 a supervisor goes on whatever it is sent, and opens no port for a debugger', async () => {
    const supervisor = await fixture.open()
    const running = await fixture.launch(supervisor, 'sleep 1; exit 9')
    const [pid] = fixture.supervisors()
    const signals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPIPE'] as const
    for (const signal of signals) process.kill(pid!, signal)
    expect(await running.exit).toMatchObject({ exitStatus: 9 })
    expect(fixture.supervisors()).toEqual([pid])
    expect(fixture.logs()).not.toContain('Debugger')
  })

  test('a supervisor that no longer answers is killed and replaced', async () => {
    const supervisor = await fixture.open({ answerTimeout: 1000 })
    const running = await fixture.launch(supervisor, 'exec sleep 60')
    const [pid] = fixture.supervisors()
    process.kill(pid!, 'SIGSTOP')
    await running.release()
    expect(fixture.supervisors()).not.toContain(pid)
    process.kill(running.pid)
  })

  test('processes whose client and supervisor are both killed are found by what is on disk', async () => {
    await killedClient({
      runs: { script: 'exec sleep 60' },
      ended: { script: 'exit 5' },
      lost: { script: 'exec sleep 60' },
    })
    await expect.poll(() => recordOf('ended')?.exit).toMatchObject({ exitStatus: 5 })
    const [pid] = fixture.supervisors()
    process.kill(pid!, 'SIGKILL')
    await gone(pid!)
    const lost = recordOf('lost')!.pid
    process.kill(lost, 'SIGKILL')
    await gone(lost)
    const supervisor = await fixture.open()
    expect(supervisor.processes()).toHaveLength(3)
    expect(await supervisor.process('ended')!.exit).toMatchObject({ exitStatus: 5 })
    expect(await supervisor.process('lost')!.exit).toMatchObject({ exitStatus: 255 })
    const runs = supervisor.process('runs')!
    expect(runs.ended).toBeUndefined()
    runs.signal(15)
    expect([143, 255]).toContain((await runs.exit).exitStatus)
    await runs.drained
  })

  test('a supervisor that does not answer a new client is ended before another one takes over', async () => {
    const { running, pid } = await leftRunning()
    process.kill(pid, 'SIGSTOP')
    const second = await fixture.open({ answerTimeout: 300 })
    expect(fixture.supervisors()).toHaveLength(1)
    expect(fixture.supervisors()).not.toContain(pid)
    expect(second.process('one')).toMatchObject({ pid: running.pid, ended: undefined })
  })

  test('a supervisor that dies while a new client is greeted leaves the records of its processes', async () => {
    const { running, pid } = await leftRunning()
    process.kill(pid, 'SIGSTOP')
    const opening = fixture.open()
    // The kernel takes the connection in its place.
    const sockets = () => readFileSync('/proc/net/unix', 'utf8').split(`${fixture.directory}/`).length
    const before = sockets()
    await expect.poll(sockets).toBeGreaterThan(before)
    process.kill(pid, 'SIGKILL')
    const second = await opening
    expect(second.process('one')).toMatchObject({ pid: running.pid, ended: undefined })
    expect(fixture.records()).toMatchObject([{ key: 'one', pid: running.pid }])
  })

  test('what a newer program has left is refused in plain words, and stays', async () => {
    const { running, pid } = await leftRunning()
    process.kill(pid, 'SIGKILL')
    await gone(pid)
    const [name] = readdirSync(fixture.directory)
    const records = join(fixture.directory, name!, 'records')
    const path = join(records, readdirSync(records)[0]!)
    const known = readFileSync(path, 'utf8')
    expect(JSON.parse(known)).toMatchObject({ format: 1, key: 'one' })
    const newer = JSON.stringify({ ...JSON.parse(known), format: 2, pid: undefined })
    writeFileSync(path, newer)
    const refusal = await fixture.open().catch((error) => error)
    expect(errorCode(refusal)).toBe('failed_precondition')
    expect(String(refusal)).toContain(
      `state file ${path} has format 2, this program knows formats up to 1: use a newer program`,
    )
    expect(readFileSync(path, 'utf8')).toBe(newer)
    // The first supervisors wrote no number.
    const { format: _, ...unnumbered } = JSON.parse(known)
    writeFileSync(path, JSON.stringify(unnumbered))
    const second = await fixture.open()
    expect(second.process('one')).toMatchObject({ pid: running.pid, ended: undefined })
  })

  test('a supervisor of another build keeps its processes and ends with them; new ones go to a new one', async () => {
    const first = await fixture.open({ build: 'old' })
    const old = await fixture.launch(first, 'exec sleep 60', { key: 'old' })
    await fixture.leave(first)
    const [oldPid] = fixture.supervisors()
    const second = await fixture.open({ build: 'new' })
    await fixture.launch(second, 'exec sleep 60', { key: 'new' })
    expect(fixture.supervisors()).toHaveLength(2)
    expect(readFileSync(`/proc/${old.pid}/stat`, 'utf8').split(') ')[1]).toMatch(new RegExp(`^S ${oldPid} `))
    const kept = second.process('old')!
    kept.signal(9)
    expect(await kept.exit).toMatchObject({ exitStatus: 137 })
    await kept.release()
    await expect.poll(() => fixture.supervisors()).toHaveLength(1)
    expect(fixture.supervisors()).not.toContain(oldPid)
    expect(fixture.warnings).toEqual([])
  })
})

function stateOf(pid: number): string | undefined {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0]
}
