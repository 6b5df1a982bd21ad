import { tasksSuite } from '@nsbox/compliance/tasks'
import { needs } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { runcShim, shimSubject } from './testing/shim-subject.ts'

/** What differs below is the shim's behaviour, which stock containerd passes on as well. */
const ofTheShim = {
  stateCodes: false,
  idempotentPause: false,
  executedAtStart: false,
  killByPid: false,
  resizeNeedsTerminal: false,
  createCodes: false,
  killPaused: false,
  killWhileStarting: false,
  exitOfUnstarted: false,
  restartedExec: false,
  metricsOfRunning: false,
  abortedCreate: false,
  execDeleteEvent: false,
  secondReader: false,
  repeatedCheckpoints: false,
  checkpointEvent: false,
  checkpointCodes: false,
}

describeWith({ root: true, linux: true, programs: [runcShim, 'runc', 'busybox'] }, 'a shim', () => {
  tasksSuite('of Debian’s shim for runc', () => shimSubject(), {
    ...ofTheShim,
    checkpoints: needs({ programs: ['criu'] }) === undefined,
  })
})
