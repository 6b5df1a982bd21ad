import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeFifo } from '@nsbox/sys/descriptors'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { LaunchRequest, SupervisedProcess, Supervisor } from '../supervisor.ts'
import { SupervisorFixture } from './supervised-shell.ts'

/** A supervisor for the tests of a block, each of which leaves no process. */
export interface UsedSupervisor {
  fixture(): SupervisorFixture
  supervisor(): Supervisor
  /** Launches a shell script. */
  launch(script: string, options: Partial<LaunchRequest>): Promise<SupervisedProcess>
  /** A path with nothing at it. */
  newPath(): string
  newFifo(): string
  /** Open descriptors of the supervisor and of this process; a test must not change them. */
  openCounts(): number[]
}

export function useSupervisor(): UsedSupervisor {
  let fixture: SupervisorFixture
  let supervisor: Supervisor
  let files = 0
  beforeAll(async () => {
    fixture = await SupervisorFixture.create()
    supervisor = await fixture.open()
    await supervisor.warm()
  })
  afterEach(() => fixture.clear())
  afterAll(() => fixture[Symbol.asyncDispose]())

  const newPath = () => join(fixture.dir.path, `f${++files}`)
  return {
    fixture: () => fixture,
    supervisor: () => supervisor,
    launch: (script, options) => fixture.launch(supervisor, script, options),
    newPath,
    newFifo() {
      const path = newPath()
      makeFifo(path, 0o600)
      return path
    },
    openCounts: () =>
      [fixture.supervisors()[0]!, process.pid].map((pid) => readdirSync(`/proc/${pid}/fd`).length),
  }
}
