import { describe } from 'vitest'
import { checkpointTests } from './checkpoints.ts'
import { fullClaims, type TasksClaims } from './claims.ts'
import { eventTests } from './events.ts'
import { execTests } from './execs.ts'
import { failingTests } from './failing.ts'
import { freezingTests } from './freezing.ts'
import { helperCgroupTests } from './helper-cgroup.ts'
import { inspectingTests } from './inspecting.ts'
import { lifecycleTests } from './lifecycle.ts'
import { signalTests } from './signals.ts'
import { stdioTests } from './stdio.ts'
import type { CreateTasksSubject } from './subject.ts'
import { terminalTests } from './terminals.ts'
import { wrapperTests } from './wrappers.ts'

export type { TasksClaims } from './claims.ts'
export { FifoReader, makeFifos, openFifoWriter } from './fifo.ts'
export type { CollectedEvents, CreateTasksSubject, TasksSubject } from './subject.ts'
export { type ContainerShape, containerSpec, type ProcessShape, processSpec } from './suite-spec.ts'
export { tasksOfRuntime } from './tasks-of-runtime.ts'

/**
 * Declares, for vitest, the tests of everything that tasks promise, whether they are those of a runtime
 * (`tasksOfRuntime`) or of a server. They need root, Linux and busybox.
 *
 * @param name says whose tasks they are, in the tests' names
 * @param create makes a subject for each group of tests
 * @param claims where the tasks differ from the interface; none by default
 */
export function tasksSuite(
  name: string,
  create: CreateTasksSubject,
  claims: Partial<TasksClaims> = {},
): void {
  const claimed = { ...fullClaims, ...claims }
  describe(`tasks: ${name}`, () => {
    lifecycleTests(create, claimed)
    execTests(create, claimed)
    signalTests(create, claimed)
    freezingTests(create, claimed)
    inspectingTests(create, claimed)
    failingTests(create, claimed)
    stdioTests(create, claimed)
    terminalTests(create, claimed)
    eventTests(create, claimed)
    checkpointTests(create, claimed)
    wrapperTests(create)
    helperCgroupTests(create)
  })
}
