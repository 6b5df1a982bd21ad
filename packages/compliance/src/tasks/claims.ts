/**
 * What a runtime promises beyond or short of the interface, as plain data. A difference is declared here and its tests
 * are then skipped by name; the suite never asks which runtime it has.
 */
export interface TasksClaims {
  /** What a task's state forbids is `failed_precondition`; otherwise it is an error of some kind with the same text. */
  readonly stateCodes: boolean
  /** Pausing what is paused, and resuming what runs, does nothing; otherwise it is an error of some kind. */
  readonly idempotentPause: boolean
  /** A start is answered when the program has been executed; otherwise a moment before. */
  readonly executedAtStart: boolean
  /** Processes can be signalled by their pid. */
  readonly killByPid: boolean
  /** A size for a process without a terminal is `failed_precondition`; otherwise nothing is said. */
  readonly resizeNeedsTerminal: boolean
  /** What cannot be a task is `invalid_argument` or `not_found`; otherwise it is an error of some kind. */
  readonly createCodes: boolean
  /** A number that is no signal is `invalid_argument`; otherwise it is an error of some kind. */
  readonly signalCodes: boolean
  /** A paused task can be ended by a signal and waited for. */
  readonly killPaused: boolean
  /** A task that was never started says at its deletion how its first process ended. */
  readonly exitOfUnstarted: boolean
  /** Starting an exec again is refused, and does no harm to the task. */
  readonly restartedExec: boolean
  /** What has stopped has no statistics. */
  readonly metricsOfRunning: boolean
  /** Every identifier is checked before it is looked up. */
  readonly identifierCodes: boolean
  /** A create whose signal is aborted leaves nothing. */
  readonly abortedCreate: boolean
  /** The deletion of an exec is told. */
  readonly execDeleteEvent: boolean
  /** Output goes on to a second reader after the first has left. */
  readonly secondReader: boolean
  /** Checkpoints can be made, and gone on from; the host has what that takes. */
  readonly checkpoints: boolean
  /** A checkpoint can be made of a container that has one already. */
  readonly repeatedCheckpoints: boolean
  /** A checkpoint is told. */
  readonly checkpointEvent: boolean
  /** Options that are none of a checkpoint are `invalid_argument`; otherwise they are an error of some kind. */
  readonly checkpointCodes: boolean
}

/** The interface, fully kept. */
export const fullClaims: TasksClaims = {
  stateCodes: true,
  idempotentPause: true,
  executedAtStart: true,
  killByPid: true,
  resizeNeedsTerminal: true,
  createCodes: true,
  signalCodes: true,
  killPaused: true,
  exitOfUnstarted: true,
  restartedExec: true,
  metricsOfRunning: true,
  identifierCodes: true,
  abortedCreate: true,
  execDeleteEvent: true,
  secondReader: true,
  checkpoints: true,
  repeatedCheckpoints: true,
  checkpointEvent: true,
  checkpointCodes: true,
}
