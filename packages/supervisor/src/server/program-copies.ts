import { closeSync, existsSync, type Stats, statSync } from 'node:fs'
import { basename } from 'node:path'
import { sealedCopy } from '@nsbox/sys/files'
import { isElf } from '../programs/is-elf.ts'

/** Milliseconds that a copy is kept for another launch. */
const keptFor = 60_000

/** Larger ones are not worth their memory. */
const maxBytes = 64 << 20

interface Copy {
  readonly identity: string
  readonly fd: number
  readonly timer: NodeJS.Timeout
}

/**
 * Sealed copies in memory (memfd_create(2)) of programs that would otherwise copy themselves at each start, to keep the
 * processes that they start from reaching the file.
 */
export class ProgramCopies {
  readonly #copies = new Map<string, Copy>()
  /** SELinux would treat the copy as another program. */
  readonly #allowed = !existsSync('/sys/fs/selinux/enforce')

  /** The path to execute for a file: a copy of its current content where possible, otherwise the file itself. */
  of(path: string): string {
    if (!this.#allowed) return path
    const stats = statSync(path)
    const identity = identityOf(stats)
    const kept = this.#copies.get(path)
    if (kept?.identity === identity) {
      kept.timer.refresh()
      return executable(kept.fd)
    }
    this.#drop(path)
    // An interpreter would get a path that is closed by then.
    if (stats.size > maxBytes || !isElf(path)) return path
    let fd: number
    try {
      fd = sealedCopy(path, basename(path))
    } catch {
      // There is no memory for it, or the host forbids programs in memory.
      return path
    }
    const timer = setTimeout(() => this.#drop(path), keptFor).unref()
    this.#copies.set(path, { identity, fd, timer })
    return executable(fd)
  }

  #drop(path: string): void {
    const copy = this.#copies.get(path)
    if (copy === undefined) return
    this.#copies.delete(path)
    clearTimeout(copy.timer)
    closeSync(copy.fd)
  }
}

const executable = (fd: number) => `/proc/self/fd/${fd}`

function identityOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ')
}
