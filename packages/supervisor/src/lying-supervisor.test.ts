import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Lie, LyingProgram, someRecord } from './testing/lying-supervisor.ts'
import { openFiles } from './testing/open-files.ts'
import { SupervisorFixture } from './testing/supervised-shell.ts'

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
