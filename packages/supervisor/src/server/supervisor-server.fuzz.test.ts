import { closeSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pipe } from '@nsbox/sys'
import { connectUnix, sendDescriptors } from '@nsbox/sys/descriptors'
import { describeWith } from '@nsbox/testing/describe-with'
import { fuzz } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'
import { roles } from '../protocol/roles.ts'
import { line, mutatedLines } from '../testing/mutated-lines.ts'
import { openFiles } from '../testing/open-files.ts'
import { SupervisorFixture } from '../testing/supervised-shell.ts'

// Harmless names: a supervisor runs what its client asks for.
const io = { stdin: '', stdout: '', stderr: '', terminal: false }
const record = { key: 'fuzz/a', pid: 4_194_304, startTime: '1', io, stdinEnded: true, drained: true }
const launch = {
  method: 'launch',
  key: 'fuzz/b',
  command: ['nsbox-no-program', 'x'],
  makes: 'p',
  cwd: '/',
  fromMemory: false,
  env: { A: 'b' },
  io,
  owner: { uid: 1, gid: 2 },
  logEnv: { CONTAINER_ID: 'a' },
  waits: false,
  timeout: 1000,
}
const requests = [
  { method: 'processes' },
  launch,
  { ...launch, io: { ...io, stdin: '/nsbox-nowhere/in', stdout: 'fifo:///nsbox-nowhere/out' } },
  { method: 'adopt', record },
  { method: 'adopt', record: { ...record, drained: false, exit: { exitStatus: 1, exitedAt: 5 } } },
  { method: 'keepStdin', key: 'fuzz/a' },
  { method: 'closeStdin', key: 'fuzz/a' },
  { method: 'cancel', key: 'fuzz/b' },
  { method: 'release', key: 'fuzz/a' },
  { method: 'hello', protocols: [1], token: 'again' },
]
const asked = requests.map((request, index) => ({ id: index + 10, ...request }))
const text = mutatedLines(asked, { dictionary: ['\n', '"id":1,', '{', '}'] })
const packet = fc.record({
  // Descriptors to send, and the roles announced for them.
  kinds: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
  announced: fc.subarray([...roles]),
})

describeWith({ linux: true, programs: ['perl'] }, 'a supervisor', () => {
  let fixture: SupervisorFixture
  let directory: string
  let pid: number
  let victim: { pid: number; key: string }
  let baseline = 0
  const closes: (() => void)[] = []
  const given: number[] = []

  beforeAll(async () => {
    fixture = await SupervisorFixture.create()
    const supervisor = await fixture.open()
    victim = await fixture.launch(supervisor, 'exec sleep 100000')
    await fixture.leave(supervisor)
    directory = join(fixture.directory, readdirSync(fixture.directory)[0]!)
    pid = fixture.supervisors()[0]!
    const one = pipe(4096)
    writeFileSync(one.write, 'some bytes')
    const file = openSync(join(fixture.dir.path, 'file'), 'w+')
    given.push(
      one.read,
      one.write,
      file,
      openSync('/dev/zero', 'r'),
      openSync('/', 'r'),
      openSync('/proc/self', 'r'),
    )
    closes.push(() => given.forEach((fd) => void closeSync(fd)))
    baseline = openFiles(pid).length
  })
  afterAll(async () => {
    for (const close of closes) close()
    await fixture[Symbol.asyncDispose]()
  })

  let runs = 0
  fuzz(
    'lives on, answers and leaves its processes alone, whatever a client asks',
    fc.tuple(text, fc.array(packet, { maxLength: 2 })),
    async ([bytes, packets]) => {
      const sent = connectUnix(join(directory, 'descriptors'), 'packets')
      const token = `t${runs++}`
      sendDescriptors(sent, Buffer.from(token), [])
      const socket = connect(join(directory, 'control'))
      let answer = ''
      const greeted = new Promise<void>((resolve) =>
        socket.setEncoding('utf8').on('data', (piece: string) => {
          answer += piece
          resolve()
        }),
      )
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
      socket.on('error', () => undefined)
      socket.write(line({ id: 1, method: 'hello', protocols: [1], token }))
      await Promise.race([greeted, closed])
      // Sent before any announcement, since a refused one ends the connection.
      for (const [index, { kinds }] of packets.entries())
        sendDescriptors(
          sent,
          Buffer.from(String(index + 1)),
          kinds.map((kind) => given[kind]!),
        )
      for (const [index, { announced }] of packets.entries()) {
        const adopted = { id: 2, method: 'adopt', record: { ...record, key: `fuzz/p${index}` } }
        socket.write(line({ ...adopted, packet: index + 1, roles: announced }))
      }
      socket.write(bytes)
      // Requests are handled in order, so these come last where all is well.
      for (const key of ['fuzz/a', 'fuzz/b', 'fuzz/p0', 'fuzz/p1'])
        socket.write(line({ id: 3, method: 'release', key }))
      socket.end()
      await closed
      closeSync(sent)
      expect(answer).toContain('"reply":1,"protocol":1')
      // The same supervisor answers, and its process runs.
      process.kill(pid, 0)
      process.kill(victim.pid, 0)
      if (runs % 200 === 0) {
        const held = fixture.records().map(({ key }) => key)
        expect(held).toContain(victim.key)
        // Processes with other keys have been adopted; each has only descriptors that were announced for it.
        expect(openFiles(pid).length - baseline).toBeLessThanOrEqual(10 * held.length)
      }
      return answer.includes('"error"') ? 'refused' : 'accepted'
    },
    { runs: 60 },
  )
})
