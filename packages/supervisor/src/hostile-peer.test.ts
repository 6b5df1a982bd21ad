import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { pipe } from '@nsbox/sys'
import { connectUnix, sendDescriptors } from '@nsbox/sys/descriptors'
import { openPidfd, processStat } from '@nsbox/sys/processes'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchMessage } from './protocol/launch-message.ts'
import { exitRecord, processRecord } from './protocol/process-record.ts'
import type { Role } from './protocol/roles.ts'
import { checked } from './protocol/schema.ts'
import type { LaunchPaths } from './supervisor.ts'
import { type Lie, LyingProgram, someRecord } from './testing/lying-supervisor.ts'
import { openFiles } from './testing/open-files.ts'
import { gone, SupervisorFixture } from './testing/supervised-shell.ts'

/** A raw client connection for tests, and the answers to it. */
class RawClient implements AsyncDisposable {
  readonly #socket: Socket
  readonly #packets: number
  #text = ''
  #id = 0
  #sent = 0

  static async connect(directory: string): Promise<RawClient> {
    const packets = connectUnix(join(directory, 'descriptors'), 'packets')
    sendDescriptors(packets, Buffer.from('token'), [])
    const socket = connect(join(directory, 'control'))
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    const client = new RawClient(socket, packets)
    await client.ask('hello', { protocols: [1], token: 'token' })
    return client
  }

  private constructor(socket: Socket, packets: number) {
    this.#socket = socket
    this.#packets = packets
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
    })
  }

  send(text: string): void {
    this.#socket.write(text)
  }

  async ask(
    method: string,
    fields: object,
    ends: Readonly<Record<string, number>> = {},
  ): Promise<Record<string, unknown>> {
    const id = ++this.#id
    const roles = Object.keys(ends)
    if (roles.length > 0)
      sendDescriptors(this.#packets, Buffer.from(String(++this.#sent)), Object.values(ends))
    const packet = roles.length > 0 ? { packet: this.#sent, roles } : {}
    this.send(`${JSON.stringify({ id, method, ...fields, ...packet })}\n`)
    const found = () =>
      this.#text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .find(({ reply }) => reply === id)
    await expect.poll(found).toBeDefined()
    return found()!
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    closeSync(this.#packets)
  }
}

function readablePipe(): number {
  const { read, write } = pipe(4096)
  writeFileSync(write, 'readable')
  closeSync(write)
  return read
}

describeWith({ linux: true, programs: ['perl'] }, 'a client', () => {
  test('is told of a refusal that quotes much of what a client has given, and keeps its supervisor', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    const running = await fixture.launch(supervisor, 'exec sleep 60')
    const odd = fixture.launch(supervisor, 'true', { stdout: '\u0001'.repeat(20_000) })
    await expect(odd).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(fixture.warnings).toEqual([])
    running.signal(9)
    expect(await running.exit).toMatchObject({ exitStatus: 137 })
  })

  let program: LyingProgram
  beforeAll(async () => {
    program = await LyingProgram.make()
  })
  afterAll(() => program[Symbol.asyncDispose]())

  const record = someRecord('test/1', 1)
  test.each<[string, (id: number) => object | string]>([
    ['without a record', () => ({})],
    ['with the record of another process', () => ({ record: { ...record, key: 'test/2' } })],
    ['with a number that no process can have', () => ({ record: { ...record, pid: 2 ** 40 } })],
    [
      'with a time that is none',
      () => ({ record: { ...record, exit: { exitStatus: 0, exitedAt: Date.UTC(10_000, 0) } } }),
    ],
    ['with an error that is none', () => ({ error: { code: 7 } })],
    ['that is no JSON', () => '{'],
    ['that is too long', () => 'x'.repeat(2 ** 21)],
  ])('waits no longer for an answer %s, and keeps no descriptor', async (_, answer) => {
    await using fixture = await SupervisorFixture.create()
    const lie: Lie = ({ id, method }) => {
      if (method !== 'launch') return { text: `${JSON.stringify({ reply: id })}\n` }
      const said = answer(id)
      const text =
        typeof said === 'string' ? said : JSON.stringify({ reply: id, packet: 1, roles: ['stdout'], ...said })
      return { text: `${text}\n`, descriptors: 1 }
    }
    await using _liar = await program.start(join(fixture.directory, 'a'), lie)
    const supervisor = await fixture.open({ build: 'lies' })
    const launch = fixture.launch(supervisor, 'true')
    await expect(launch).rejects.toMatchObject({ code: 'unavailable' })
    expect(openFiles()).not.toContain('/dev/zero')
    expect(fixture.warnings.join('\n')).toContain('is lost')
  })

  test('finds all processes of a supervisor that is lost after it has reported some', async () => {
    await using fixture = await SupervisorFixture.create()
    const directory = join(fixture.directory, 'a')
    const [reported, other] = [someRecord('test/1', 1), someRecord('test/2', 1)]
    const notice = { notice: 'process', record: reported, packet: 1, roles: ['stdout'] }
    const lie: Lie = () => ({ text: `${JSON.stringify(notice)}\n`, descriptors: 1, ends: true })
    await using _liar = await program.start(directory, lie)
    mkdirSync(join(directory, 'records'))
    writeFileSync(
      join(directory, 'records/1.json'),
      JSON.stringify({ ...reported, exit: { exitStatus: 3, exitedAt: 5 } }),
    )
    writeFileSync(join(directory, 'records/2.json'), JSON.stringify(other))
    const supervisor = await fixture.open()
    expect(await supervisor.process('test/1')!.exit).toMatchObject({ exitStatus: 3 })
    expect(await supervisor.process('test/2')!.exit).toMatchObject({ exitStatus: 255 })
    await Promise.all(supervisor.processes().map((process) => process.release()))
    expect(openFiles()).not.toContain('/dev/zero')
    expect(existsSync(directory)).toBe(false)
  })

  test('ends its link to a supervisor that reports a process unasked', async () => {
    await using fixture = await SupervisorFixture.create()
    const notice = { notice: 'process', record, packet: 1, roles: ['stdout'] }
    const lie: Lie = ({ id, method }) => {
      const answer = `${JSON.stringify({ reply: id })}\n`
      if (method !== 'launch') return { text: answer }
      return { text: `${JSON.stringify(notice)}\n${answer}`, descriptors: 1 }
    }
    await using _liar = await program.start(join(fixture.directory, 'a'), lie)
    const supervisor = await fixture.open({ build: 'lies' })
    await expect(fixture.launch(supervisor, 'true')).rejects.toMatchObject({ code: 'unavailable' })
    expect(supervisor.processes()).toEqual([])
    expect(openFiles()).not.toContain('/dev/zero')
  })

  test('takes no supervisor that names another process as its own, which would be killed for it', async () => {
    await using fixture = await SupervisorFixture.create()
    const other = spawn('sleep', ['600'], { stdio: 'ignore' })
    const lie: Lie = ({ id }) => ({ text: `${JSON.stringify({ reply: id })}\n` })
    await using liar = await program.start(join(fixture.directory, 'a'), lie, { pid: other.pid! })
    const supervisor = await fixture.open({ build: 'lies' })
    const process = await fixture.launch(supervisor, 'exit 5')
    expect(await process.exit).toMatchObject({ exitStatus: 5 })
    expect(existsSync(liar.directory)).toBe(false)
    expect([other.exitCode, other.signalCode]).toEqual([null, null])
    other.kill('SIGKILL')
  })

  test('refuses a supervisor of a newer program, which knows no protocol of this one, in plain words', async () => {
    await using fixture = await SupervisorFixture.create()
    const lie: Lie = () => ({ text: '' })
    await using liar = await program.start(join(fixture.directory, 'a'), lie, { protocol: 2 })
    const refusal = await fixture.open().catch((error) => error)
    expect(errorCode(refusal)).toBe('failed_precondition')
    expect(String(refusal)).toContain(
      `the supervisor in ${liar.directory} is of a newer program and does not know protocol 1: use a newer program`,
    )
    expect(existsSync(liar.directory)).toBe(true)
  })

  test('starts where a supervisor died while it wrote its number down', async () => {
    await using fixture = await SupervisorFixture.create()
    mkdirSync(join(fixture.directory, 'torn/records'), { recursive: true, mode: 0o700 })
    writeFileSync(join(fixture.directory, 'torn/process'), '{"pid":')
    writeFileSync(join(fixture.directory, 'stray'), '')
    const supervisor = await fixture.open()
    expect(readdirSync(fixture.directory)).toEqual([])
    const process = await fixture.launch(supervisor, 'exit 5')
    expect(await process.exit).toMatchObject({ exitStatus: 5 })
  })
})

describeWith({ linux: true, programs: ['perl'] }, 'a supervisor', () => {
  /** A supervisor with one process, and a second client's connection. */
  async function attacked(fixture: SupervisorFixture) {
    const supervisor = await fixture.open()
    const process = await fixture.launch(supervisor, 'exec sleep 60')
    await fixture.leave(supervisor)
    const directory = join(fixture.directory, readdirSync(fixture.directory)[0]!)
    const [pid] = fixture.supervisors()
    return { directory, pid: pid!, process }
  }

  test.each<[string, Role, () => number]>([
    ['a pipe', 'pidfd', readablePipe],
    ['a pipe', 'logger', readablePipe],
    // The kernel would accept it for signals.
    ['the directory of another process in /proc', 'pidfd', () => openSync(`/proc/${process.pid}`, 'r')],
    ['the directory of another process in /proc', 'logger', () => openSync(`/proc/${process.pid}`, 'r')],
    ['another process', 'pidfd', () => openPidfd(process.pid)],
  ])('refuses %s as the descriptor %s of a process, and goes on', async (_, role, open) => {
    await using fixture = await SupervisorFixture.create()
    const { directory, pid } = await attacked(fixture)
    await using client = await RawClient.connect(directory)
    const fd = open()
    const name = readlinkSync(`/proc/self/fd/${fd}`)
    const answer = await client.ask('adopt', { record: someRecord('odd', 1) }, { [role]: fd })
    expect(answer).toMatchObject({ error: { code: 'invalid_argument' } })
    if (!name.includes('pidfd')) expect(openFiles(pid)).not.toContain(name)
    closeSync(fd)
    expect(await client.ask('keepStdin', { key: 'odd' })).toMatchObject({ error: { code: 'not_found' } })
    expect(fixture.supervisors()).toEqual([pid])
  })

  test('tells the end of a process though another one was said to have its number, and forgotten', async () => {
    await using fixture = await SupervisorFixture.create()
    const { directory, process: victim } = await attacked(fixture)
    await using client = await RawClient.connect(directory)
    await client.ask('adopt', { record: someRecord('odd', victim.pid) })
    await client.ask('release', { key: 'odd' })
    const supervisor = await fixture.open()
    const again = supervisor.process(victim.key)!
    again.signal(15)
    expect(await again.exit).toMatchObject({ exitStatus: 143 })
  })

  test('takes no number that a program writes for a process that is not its child', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    const other = spawn('sleep', ['600'], { stdio: 'ignore' })
    const writes = (paths: LaunchPaths) => ['sh', '-c', `printf ${other.pid} >${paths.pidFile}`]
    const failing = (paths: LaunchPaths) => ['sh', '-c', `printf ${other.pid} >${paths.pidFile}; exit 1`]
    const launch = fixture.launch(supervisor, '', { command: writes })
    await expect(launch).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(fixture.launch(supervisor, '', { command: failing })).rejects.toThrow()
    expect(other.kill(0)).toBe(true)
    expect(processStat(other.pid!)?.state).toBe('S')
    other.kill('SIGKILL')
  })

  test('keeps nothing of a process whose record it cannot write', async () => {
    await using fixture = await SupervisorFixture.create()
    const { directory, pid } = await attacked(fixture)
    await using client = await RawClient.connect(directory)
    const { read, write } = pipe(4096)
    const name = readlinkSync(`/proc/self/fd/${read}`)
    renameSync(join(directory, 'records'), join(directory, 'elsewhere'))
    const answer = await client.ask(
      'adopt',
      { record: someRecord('new', 1) },
      { stdout: read, 'stdout-sink': write },
    )
    renameSync(join(directory, 'elsewhere'), join(directory, 'records'))
    expect(answer).toHaveProperty('error')
    expect(openFiles(pid)).not.toContain(name)
    for (const fd of [read, write]) closeSync(fd)
    expect(await client.ask('release', { key: 'new' })).toMatchObject({ error: { code: 'not_found' } })
  })

  test('D21 tells the end of a process also where it cannot be written down', async () => {
    await using fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    const process = await fixture.launch(supervisor, 'exec sleep 60')
    const directory = join(fixture.directory, readdirSync(fixture.directory)[0]!)
    renameSync(join(directory, 'records'), join(directory, 'elsewhere'))
    process.signal(15)
    expect(await process.exit).toMatchObject({ exitStatus: 143 })
    await process.drained
    renameSync(join(directory, 'elsewhere'), join(directory, 'records'))
    expect(readFileSync(join(directory, 'log'), 'utf8')).toContain('ENOENT')
  })

  test('ends with its last process where its directory is gone', async () => {
    await using fixture = await SupervisorFixture.create()
    const { directory, pid, process: last } = await attacked(fixture)
    rmSync(directory, { recursive: true })
    process.kill(last.pid)
    await gone(pid)
  })

  test('bounds what connections keep that say no hello', async () => {
    await using fixture = await SupervisorFixture.create()
    const { directory, pid } = await attacked(fixture)
    const sockets = Array.from({ length: 200 }, () =>
      connect(join(directory, 'control')).on('error', () => undefined),
    )
    let open = sockets.length
    for (const socket of sockets) socket.once('close', () => open--).write('x'.repeat(1024 * 1024))
    await expect.poll(() => open).toBeLessThanOrEqual(16)
    expect(fixture.supervisors()).toEqual([pid])
    for (const socket of sockets) socket.destroy()
    const supervisor = await fixture.open()
    expect(supervisor.processes()).toHaveLength(1)
    expect(fixture.supervisors()).toEqual([pid])
  })

  test('takes no owner, time-out or process that the kernel would take for another one', () => {
    const invalid = expect.objectContaining({ code: 'invalid_argument' })
    const launch = {
      key: 'a',
      command: ['x'],
      cwd: '/',
      fromMemory: false,
      env: {},
      io: someRecord('a', 1).io,
      logEnv: {},
      waits: false,
      timeout: 1,
    }
    expect(checked(launchMessage, launch)).toMatchObject({ timeout: 1 })
    for (const odd of [
      { owner: { uid: 2 ** 32, gid: 0 } },
      { owner: { uid: 0, gid: 2 ** 32 - 1 } },
      { timeout: 2 ** 31 },
    ])
      expect(() => checked(launchMessage, { ...launch, ...odd })).toThrow(invalid)
    for (const pid of [2 ** 32 + 1, 0, -1])
      expect(() => checked(processRecord, someRecord('a', pid))).toThrow(invalid)
    expect(() => checked(exitRecord, { exitStatus: 2 ** 32, exitedAt: 0 })).toThrow(invalid)
    expect(() => checked(exitRecord, { exitStatus: 0, exitedAt: Date.UTC(9999, 0) + 1 })).toThrow(invalid)
  })
})
