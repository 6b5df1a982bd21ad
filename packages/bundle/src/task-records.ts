/**
 * The file in a bundle with what a later process must know of its task, for each kind of runtime. Runtimes may share a
 * directory of bundles: what has another's file is left to that one.
 */
export const taskRecords = { runc: 'task.json', shim: 'shim.json' } as const

/** The name of such a file. */
export type TaskRecordName = (typeof taskRecords)[keyof typeof taskRecords]
