import { spawn } from 'node:child_process'
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pipe } from '@nsbox/sys'
import { openPidfd, processStat } from '@nsbox/sys/processes'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { launchMessage } from './protocol/launch-message.ts'
import { exitRecord, processRecord } from './protocol/process-record.ts'
import type { Role } from './protocol/roles.ts'
import { checked } from './protocol/schema.ts'
import type { LaunchPaths } from './supervisor.ts'
import { someRecord } from './testing/lying-supervisor.ts'
import { openFiles } from './testing/open-files.ts'
import { RawClient } from './testing/raw-client.ts'
import { gone, SupervisorFixture } from './testing/supervised-shell.ts'

function readablePipe(): number {
  const { read, write } = pipe(4096)
  writeFileSync(write, 'readable')
  closeSync(write)
  return read
}

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
