/**
 * Where a runtime differs from the interface, as plain data. The tests of a declared difference are skipped by name;
 * the suite never asks which runtime it has.
 */
export interface TasksClaims {
  /** An operation that the state forbids is `failed_precondition`; otherwise any error with the same text. */
  readonly stateCodes: boolean
  /** Pausing a paused task, and resuming a running one, does nothing; otherwise any error. */
  readonly idempotentPause: boolean
  /** `start` resolves when the program has been executed; otherwise a moment before. */
  readonly executedAtStart: boolean
  /** Processes can be signalled by their pid. */
  readonly killByPid: boolean
  /** Resizing a process without a terminal is `failed_precondition`; otherwise it is ignored. */
  readonly resizeNeedsTerminal: boolean
  /** Invalid tasks are `invalid_argument` or `not_found`; otherwise any error. */
  readonly createCodes: boolean
  /** An invalid signal is `invalid_argument`; otherwise any error. */
  readonly signalCodes: boolean
  /** A paused task can be ended by a signal and waited for. */
  readonly killPaused: boolean
  /** A task is killed while a hook of its start takes long; otherwise the signal waits for the hook. */
  readonly killWhileStarting: boolean
  /** Deleting a task that was never started returns how its first process ended. */
  readonly exitOfUnstarted: boolean
  /** Starting an exec again is refused, and does not affect the task. */
  readonly restartedExec: boolean
  /** A stopped task has no metrics. */
  readonly metricsOfRunning: boolean
  /** A task can be made as soon as one of the same id is deleted; otherwise the id may be refused for a moment. */
  readonly idsFreeAtOnce: boolean
  /** Every identifier is checked before it is looked up. */
  readonly identifierCodes: boolean
  /** A create whose signal is aborted leaves nothing. */
  readonly abortedCreate: boolean
  /** The deletion of an exec has an event. */
  readonly execDeleteEvent: boolean
  /** A second reader gets the output after the first has left. */
  readonly secondReader: boolean
  /** Checkpoints can be made and restored; the host has what that needs. */
  readonly checkpoints: boolean
  /** A checkpoint can be made of a container that has one already. */
  readonly repeatedCheckpoints: boolean
  /** A checkpoint has an event. */
  readonly checkpointEvent: boolean
  /** Invalid options of a checkpoint are `invalid_argument`; otherwise any error. */
  readonly checkpointCodes: boolean
}

/** The full interface. */
export const fullClaims: TasksClaims = {
  stateCodes: true,
  idempotentPause: true,
  executedAtStart: true,
  killByPid: true,
  resizeNeedsTerminal: true,
  createCodes: true,
  signalCodes: true,
  killPaused: true,
  killWhileStarting: true,
  exitOfUnstarted: true,
  restartedExec: true,
  metricsOfRunning: true,
  idsFreeAtOnce: true,
  identifierCodes: true,
  abortedCreate: true,
  execDeleteEvent: true,
  secondReader: true,
  checkpoints: true,
  repeatedCheckpoints: true,
  checkpointEvent: true,
  checkpointCodes: true,
}
