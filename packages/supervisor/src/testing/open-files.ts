import { readdirSync, readlinkSync } from 'node:fs'

/** What a process has open, by the names of the kernel; this one by default. */
export function openFiles(pid: number | 'self' = 'self'): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`)
    } catch {
      // That of the directory itself is closed by now.
      return ''
    }
  })
}
