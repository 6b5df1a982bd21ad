import { join } from 'node:path'
import { tasksSuite } from '@nsbox/compliance/tasks'
import { start } from '@nsbox/server'
import { needs, startContainerd, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { remoteTasksSubject } from './remote-tasks-subject.ts'

const checkpoints = needs({ programs: ['criu'] }) === undefined

/** Our server within this process. */
async function embedded(): Promise<{ readonly address: string } & AsyncDisposable> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-tasks-server'))
  const server = opening.use(
    await start({ root: join(path, 'root'), state: join(path, 'state'), durability: 'relaxed' }),
  )
  const owned = opening.move()
  return { address: server.address, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'over the socket', () => {
  tasksSuite('of nsbox-server', () => remoteTasksSubject(embedded), { checkpoints })
})

describeWith({ root: true, linux: true, programs: ['runc', 'busybox', 'containerd'] }, 'of another', () => {
  tasksSuite('of stock containerd', () => remoteTasksSubject(startContainerd), {
    stateCodes: false,
    idempotentPause: false,
    killByPid: false,
    resizeNeedsTerminal: false,
    createCodes: false,
    signalCodes: false,
    killPaused: false,
    exitOfUnstarted: false,
    restartedExec: false,
    metricsOfRunning: false,
    closeStdinAlone: false,
    identifierCodes: false,
    abortedCreate: false,
    execDeleteEvent: false,
    secondReader: false,
    checkpoints,
    repeatedCheckpoints: false,
    checkpointEvent: false,
    checkpointCodes: false,
  })
})
