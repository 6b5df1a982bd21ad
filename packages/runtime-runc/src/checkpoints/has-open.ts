import { readdirSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { unlessGone } from './helper-processes.ts'

/**
 * Whether a process has a file open, or a file in it if it is a directory; false for a process that has ended. `/proc`
 * names the file within the process's own root filesystem, so the name must lead to the same file here.
 */
export function hasOpen(pid: number, paths: readonly string[]): boolean {
  const directory = `/proc/${pid}/fd`
  return unlessGone(() => readdirSync(directory), []).some((name) => {
    const target = unlessGone(() => readlinkSync(`${directory}/${name}`), undefined)
    if (target === undefined || !paths.some((path) => target === path || target.startsWith(`${path}/`)))
      return false
    return isSame(fileAt(target), fileAt(`${directory}/${name}`))
  })
}

function fileAt(path: string): Stats | undefined {
  return unlessGone(() => statSync(path), undefined)
}

function isSame(a: Stats | undefined, b: Stats | undefined): boolean {
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino
}
