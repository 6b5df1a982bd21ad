import { NsboxError } from '@nsbox/errors'

/** The state of a task or process. */
export type TaskState = 'created' | 'running' | 'pausing' | 'paused' | 'stopped'

/** An operation on a task or process. */
export type TaskOperation = 'start' | 'delete' | 'pause' | 'resume' | 'exec' | 'update' | 'checkpoint'

/** containerd's texts, which clients look for (docs/behaviour.md §1). */
const texts: Readonly<Record<TaskOperation, (state: string) => string>> = {
  start: (state) => `cannot start a ${state} process`,
  delete: (state) => `cannot delete a ${state} process`,
  pause: (state) =>
    state === 'created' ? 'cannot pause task in created state' : `cannot pause a ${state} container`,
  resume: (state) =>
    state === 'created' ? 'cannot resume task in created state' : `cannot resume a ${state} container`,
  exec: (state) => `cannot exec in a ${state} state`,
  update: (state) => `cannot update a ${state} container`,
  checkpoint: (state) =>
    state === 'created'
      ? 'cannot checkpoint a task in created state'
      : `cannot checkpoint a ${state} container`,
}

/** The error for an operation that the state forbids. */
export function stateError(operation: TaskOperation, state: TaskState): NsboxError {
  return new NsboxError('failed_precondition', texts[operation](state === 'pausing' ? 'paused' : state))
}

/** The error for a signal before the start. */
export function notStarted(): NsboxError {
  return new NsboxError('failed_precondition', 'process not created')
}

/** The error for signals to an ended process, and questions about it. */
export function finished(): NsboxError {
  return new NsboxError('not_found', 'process already finished')
}
