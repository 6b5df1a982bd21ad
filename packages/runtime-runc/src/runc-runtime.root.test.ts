import { tasksSuite } from '@nsbox/compliance/tasks'
import { needs } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { runtimeSubjects } from './testing/runtime-subjects.ts'

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'runc', () => {
  tasksSuite('of the runtime', runtimeSubjects(), {
    checkpoints: needs({ programs: ['criu'] }) === undefined,
  })
})
