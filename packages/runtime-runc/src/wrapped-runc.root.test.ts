import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { tasksSuite } from '@nsbox/compliance/tasks'
import { needs } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { fakeRunc } from './testing/fake-runc.ts'
import { runtimeSubjects } from './testing/runtime-subjects.ts'

async function wrapper(directory: string): Promise<string> {
  const place = join(directory, 'bin')
  await mkdir(place)
  return (await fakeRunc(place)).binary
}

describeWith(
  { root: true, linux: true, programs: ['runc', 'busybox'] },
  'a script that executes runc',
  () => {
    tasksSuite('of the runtime, with a wrapper', runtimeSubjects({ wrapper }), {
      checkpoints: needs({ programs: ['criu'] }) === undefined,
    })
  },
)
