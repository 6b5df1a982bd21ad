import { tasksSuite } from '@nsbox/compliance/tasks'
import { needs } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { runtimeSubject } from './testing/runtime-subject.ts'

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'runc', () => {
  tasksSuite('of the runtime', runtimeSubject, { checkpoints: needs({ programs: ['criu'] }) === undefined })
})
