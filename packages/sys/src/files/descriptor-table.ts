import { closeSync } from 'node:fs'

// A new descriptor has the lowest free number, so a higher one means that more descriptors are open than a process may
// have.
const tableSize = 65_536

let table: Uint8Array = new Uint8Array(tableSize)

/** Makes a table of a thread's open descriptors, for `keepDescriptorsIn` in that thread. */
export function descriptorTable(): SharedArrayBuffer {
  return new SharedArrayBuffer(tableSize)
}

/**
 * From now on, descriptors that this thread opens are in a table that other threads see. Call it before anything is
 * opened.
 */
export function keepDescriptorsIn(shared: SharedArrayBuffer): void {
  table = new Uint8Array(shared)
}

/** Registers a descriptor that a system call has opened; `closeDescriptor` closes it. */
export function opened(fd: number): number {
  if (fd < tableSize) table[fd] = 1
  return fd
}

/** Closes a descriptor that `opened` has registered. */
export function closeDescriptor(fd: number): void {
  // In this order: every descriptor in the table of a terminated thread is certainly open, and not reused.
  if (fd < tableSize) table[fd] = 0
  closeSync(fd)
}

/** Closes the descriptors that a terminated thread has left open; they belong to the process and outlive the thread. */
export function closeAbandoned(shared: SharedArrayBuffer): void {
  const abandoned = new Uint8Array(shared)
  for (let fd = abandoned.indexOf(1); fd !== -1; fd = abandoned.indexOf(1, fd + 1)) {
    abandoned[fd] = 0
    closeSync(fd)
  }
}
