import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { fuzz } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'
import { notice, notices } from '../protocol/answers.ts'
import { checked } from '../protocol/schema.ts'
import { LyingSupervisor, someRecord } from '../testing/lying-supervisor.ts'
import { mutatedLines } from '../testing/mutated-lines.ts'
import { openFiles } from '../testing/open-files.ts'
import { recordOf } from './record-of.ts'
import { SupervisorConnection } from './supervisor-connection.ts'

const record = someRecord('ns/a', 1)
/** The first request of a link is its hello, so this answers the second. */
const answers = [
  { reply: 2, record, packet: 1, roles: ['pidfd', 'stdout'] },
  { reply: 2, error: { code: 'not_found', context: 'x', details: { exitCode: 1, stderr: 'y' } } },
  { reply: 2, holds: ['stdin'], record },
  { notice: 'exit', key: 'ns/a', exit: { exitStatus: 1, exitedAt: 5 } },
  {
    notice: 'process',
    record: { ...record, exit: { exitStatus: 1, exitedAt: 5 } },
    packet: 1,
    roles: ['stdin'],
  },
  { notice: 'closed', key: 'ns/a', roles: ['stdin'], drained: true },
]
const lies = mutatedLines(answers, { dictionary: ['\n', '"reply":2,', '{', '}'] })

describeWith({ linux: true }, 'a client’s link', () => {
  let dir: TempDir
  let liar: LyingSupervisor
  let other: ChildProcess
  let lie: Buffer = Buffer.alloc(0)
  let descriptors: number[] = []
  const given = openSync('/dev/zero', 'r')

  beforeAll(async () => {
    dir = await tempDir()
    other = spawn('sleep', ['10000'], { stdio: 'ignore' })
    liar = await LyingSupervisor.start(join(dir.path, 'a'), other.pid!, (_, to) => {
      if (descriptors.length > 0) to.sendDescriptors(descriptors)
      return lie.toString()
    })
  })
  afterAll(async () => {
    await liar[Symbol.asyncDispose]()
    other.kill('SIGKILL')
    await dir[Symbol.asyncDispose]()
    closeSync(given)
  })

  fuzz(
    'ends every request, whatever a supervisor says, and keeps no descriptor',
    fc.tuple(lies, fc.integer({ min: 0, max: 3 })),
    async ([said, count]) => {
      lie = said
      descriptors = Array(count).fill(given)
      const lost: unknown[] = []
      const link = await SupervisorConnection.connect(
        liar.directory,
        {
          notice: (_, message, ends) => {
            const { notice: kind } = checked(notice, message)
            if (Object.hasOwn(notices, kind)) checked(notices[kind as keyof typeof notices], message)
            if (kind === 'process') for (const fd of ends.takeAll().values()) closeSync(fd)
          },
          lost: (_, error) => lost.push(error),
        },
        10_000,
      )
      const outcome = await link
        .request(
          'launch',
          {},
          {
            accept: (answer, ends) => {
              const { key } = recordOf(answer, 'ns/a')
              for (const fd of ends.takeAll().values()) closeSync(fd)
              return key
            },
            // A malformed answer is waited for this long.
            timeout: 5,
          },
        )
        .then((key) => (key === 'ns/a' ? 'accepted' : key), errorCode)
      for (const error of lost) expect(['invalid_argument', 'unavailable']).toContain(errorCode(error))
      link.forget()
      expect(openFiles().filter((name) => name === '/dev/zero')).toHaveLength(1)
      return outcome
    },
    { runs: 80 },
  )
})
