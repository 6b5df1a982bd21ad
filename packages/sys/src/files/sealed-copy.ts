import { closeSync, fchmodSync, openSync, readSync, writeSync } from 'node:fs'
import { constants } from 'node:os'
import { CFunction } from '../c-function.ts'

const MFD_CLOEXEC = 1
const MFD_ALLOW_SEALING = 2
/** Since Linux 6.3; earlier kernels make all executable, and refuse the flag. */
const MFD_EXEC = 0x10
const F_ADD_SEALS = 1033
const F_SEAL_SEAL = 1
const F_SEAL_SHRINK = 2
const F_SEAL_GROW = 4
const F_SEAL_WRITE = 8
const { EINVAL } = constants.errno
const pieceBytes = 1 << 20

const memfdCreate = new CFunction('int memfd_create(const char *name, uint flags)')
const fcntl = new CFunction('int fcntl(int fd, int command, int argument)')

/**
 * Copies a program into memory, where it cannot be changed any more (memfd_create(2)).
 *
 * @param name shown by the kernel
 * @returns a descriptor open for reading, which can be executed as `/proc/self/fd/N`; it is closed on exec, and the
 * memory is freed once it is neither open nor running
 * @throws with the detail `errno`, such as `EACCES` where the host forbids programs in memory
 */
export function sealedCopy(path: string, name: string): number {
  const source = openSync(path, 'r')
  try {
    const copy = makeMemory(name)
    try {
      const piece = Buffer.allocUnsafe(pieceBytes)
      for (let length = readSync(source, piece); length > 0; length = readSync(source, piece))
        for (let at = 0; at < length; ) at += writeSync(copy, piece, at, length - at)
      fchmodSync(copy, 0o555)
      const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
      fcntl.callOrThrow(copy, F_ADD_SEALS, seals)
      // A file that is open for writing cannot be executed.
      return openSync(`/proc/self/fd/${copy}`, 'r')
    } finally {
      closeSync(copy)
    }
  } finally {
    closeSync(source)
  }
}

function makeMemory(name: string): number {
  const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING
  const made = memfdCreate.call(name, flags | MFD_EXEC)
  return made === -EINVAL ? memfdCreate.callOrThrow(name, flags) : memfdCreate.succeeded(made)
}
