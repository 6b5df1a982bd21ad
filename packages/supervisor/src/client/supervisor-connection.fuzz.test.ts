import { closeSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '@nsbox/errors'
import { type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { fuzz } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'
import { notice, notices } from '../protocol/answers.ts'
import { checked } from '../protocol/schema.ts'
import { LyingProgram, type LyingSupervisor, someRecord } from '../testing/lying-supervisor.ts'
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
  let program: LyingProgram
  let liar: LyingSupervisor
  let lie: Buffer = Buffer.alloc(0)
  let descriptors = 0

  beforeAll(async () => {
    dir = await tempDir()
    program = await LyingProgram.make()
    liar = await program.start(join(dir.path, 'a'), () => ({ text: lie.toString(), descriptors, ends: true }))
  })
  afterAll(async () => {
    await liar[Symbol.asyncDispose]()
    await program[Symbol.asyncDispose]()
    await dir[Symbol.asyncDispose]()
  })

  fuzz(
    'ends every request, whatever a supervisor says, and keeps no descriptor',
    fc.tuple(lies, fc.integer({ min: 0, max: 3 })),
    async ([said, count]) => {
      lie = said
      descriptors = count
      const lost: unknown[] = []
      const link = await SupervisorConnection.connect(
        liar.directory,
        {
          notice: (_, message, ends) => {
            const { notice: kind } = checked(notice, message)
            if (Object.hasOwn(notices, kind)) checked(notices[kind as keyof typeof notices], message)
            if (kind === 'process') for (const fd of ends.takeAll().values()) closeSync(fd)
          },
          lost: (_, error) => error && lost.push(error),
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
          },
        )
        .then((key) => (key === 'ns/a' ? 'accepted' : key), errorCode)
      for (const error of lost) expect(['invalid_argument', 'unavailable']).toContain(errorCode(error))
      link.forget()
      expect(openFiles().filter((name) => name === '/dev/zero')).toEqual([])
      return outcome
    },
    { runs: 80 },
  )
})
