/** Labels of a container by which clients order that its task is started again (docs/behaviour.md §7). */
export const restartLabels = {
  /** What the task is to be: `running` or `stopped`. The others mean nothing without it. */
  status: 'containerd.io/restart.status',
  policy: 'containerd.io/restart.policy',
  /** How often the task has been started again. */
  count: 'containerd.io/restart.count',
  explicitlyStopped: 'containerd.io/restart.explicitly-stopped',
  logUri: 'containerd.io/restart.loguri',
  logPath: 'containerd.io/restart.logpath',
} as const
