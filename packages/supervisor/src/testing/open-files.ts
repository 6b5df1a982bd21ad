import { readdirSync, readlinkSync } from 'node:fs'

/** The open descriptors of a process, by the kernel's names; of this one by default. */
export function openFiles(pid: number | 'self' = 'self'): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      // The descriptor of the directory itself is closed by now.
      return ''
    }
  })
}
