/**
 * The protocols between daemons and supervisors that this build speaks, the preferred one first. A supervisor outlives
 * upgrades of the daemon, so a protocol that has been released stays in this list. Adding a field that may be absent needs
 * no new number.
 */
export const protocols: readonly number[] = [1]

/** Files in a supervisor's directory. */
export const files = {
  /** The socket of messages. */
  control: 'control',
  /** The socket that descriptors come through. */
  descriptors: 'descriptors',
  /** The supervisor's own number and start, for when it does not answer. */
  process: 'process',
  /** What is known of each process. */
  records: 'records',
  /** Sockets and pid files of launches under way. */
  launches: 'launches',
  /** What it has to complain of. */
  log: 'log',
} as const
