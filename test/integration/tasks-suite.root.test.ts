import { join } from 'node:path'
import { tasksSuite } from '@nsbox/compliance/tasks'
import { startServer } from '@nsbox/server'
import { busyboxRootfs, needs, type RootfsMount, startContainerd, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll } from 'vitest'
import { remoteTasksSubject } from './remote-tasks-subject.ts'

const checkpoints = needs({ programs: ['criu'] }) === undefined

interface Served extends AsyncDisposable {
  readonly address: string
}

/** Makes subjects of one server and one root filesystem for all tests of a block, in a namespace each. */
function subjectsOf(startServer: () => Promise<Served>): () => ReturnType<typeof remoteTasksSubject> {
  const resources = new AsyncDisposableStack()
  let server: Served
  let rootfs: RootfsMount[]
  let namespaces = 0
  beforeAll(async () => {
    const { path } = resources.use(await tempDir('nsbox-tasks'))
    rootfs = await busyboxRootfs(join(path, 'rootfs'))
    server = resources.use(await startServer())
  })
  afterAll(() => resources.disposeAsync())
  return () => remoteTasksSubject(server.address, `suite-${namespaces++}`, rootfs)
}

/** Our server within this process. */
async function embedded(): Promise<Served> {
  await using opening = new AsyncDisposableStack()
  const { path } = opening.use(await tempDir('nsbox-tasks-server'))
  const server = opening.use(
    await startServer({ root: join(path, 'root'), state: join(path, 'state'), durability: 'relaxed' }),
  )
  const owned = opening.move()
  return { address: server.address, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

describeWith({ root: true, linux: true, programs: ['runc', 'busybox'] }, 'over the socket', () => {
  tasksSuite('of nsbox-server', subjectsOf(embedded), { checkpoints })
})

describeWith({ root: true, linux: true, programs: ['runc', 'busybox', 'containerd'] }, 'of another', () => {
  tasksSuite('of stock containerd', subjectsOf(startContainerd), {
    stateCodes: false,
    idempotentPause: false,
    executedAtStart: false,
    killByPid: false,
    resizeNeedsTerminal: false,
    createCodes: false,
    signalCodes: false,
    killPaused: false,
    killWhileStarting: false,
    exitOfUnstarted: false,
    restartedExec: false,
    metricsOfRunning: false,
    idsFreeAtOnce: false,
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
