import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { tasksSuite } from '@nsbox/compliance/tasks'
import { needs, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll } from 'vitest'
import { fakeRunc } from './testing/fake-runc.ts'
import { runtimeSubject } from './testing/runtime-subject.ts'

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox'] },
  'a script that executes runc',
  () => {
    let directory: Awaited<ReturnType<typeof tempDir>>
    let binary: string

    beforeAll(async () => {
      directory = await tempDir('nsbox-wrapped')
      await mkdir(join(directory.path, 'bin'))
      binary = (await fakeRunc(join(directory.path, 'bin'))).binary
    })
    afterAll(() => directory[Symbol.asyncDispose]())

    tasksSuite('of the runtime, with a wrapper', () => runtimeSubject({ binary }), {
      checkpoints: needs({ programs: ['criu'] }) === undefined,
    })
  },
)
