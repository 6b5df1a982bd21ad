import { closeSync } from 'node:fs'

// Descriptors are numbered from the lowest that is free, so a process with a higher one has more open than most may.
const tableSize = 65_536

let table: Uint8Array = new Uint8Array(tableSize)

/** Makes a table of the descriptors that a thread has open, for `keepDescriptorsIn` in that thread. */
export function descriptorTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(tableSize)
}

/** From now on, what this thread opens stands in a table that other threads see. Call it before anything is opened. */
export function keepDescriptorsIn(shared: SharedArrayBuffer): void {
  table = new Uint8Array(shared)
}

/** Notes a descriptor that was opened by a system call; `closeDescriptor` closes it. */
export function opened(fd: number): number {
  if (fd < tableSize) table[fd] = 1
  return fd
}

/** Closes what `opened` has noted. */
export function closeDescriptor(fd: number): void {
  // In this order: what is in the table of a thread that was ended is open for certain, and belongs to nobody else.
  if (fd < tableSize) table[fd] = 0
  closeSync(fd)
}

/** Closes what a thread has left open that has ended; descriptors belong to the process and outlive it. */
export function closeAbandoned(shared: SharedArrayBuffer): void {
  const abandoned = new Uint8Array(shared)
  for (let fd = abandoned.indexOf(1); fd !== -1; fd = abandoned.indexOf(1, fd + 1)) {
    abandoned[fd] = 0
    closeSync(fd)
  }
}
