import { existsSync, watch } from 'node:fs'
import { join } from 'node:path'
import type { ContainerCgroup } from '../container-cgroup.ts'
import type { OomSource } from './oom-watch.ts'

/** Cgroup v2: the kernel says when `memory.events` changes (inotify(7)). */
export const eventFileSource: OomSource = {
  watch(cgroup: ContainerCgroup, onChange: () => void): Disposable {
    const directory = cgroup.directory('')
    const file = directory === undefined ? undefined : join(directory, 'memory.events')
    if (file === undefined || !existsSync(file)) return { [Symbol.dispose]() {} }
    const watcher = watch(file, { persistent: false }, onChange)
    // The file has gone with its cgroup.
    watcher.on('error', () => watcher.close())
    return { [Symbol.dispose]: () => watcher.close() }
  },
  [Symbol.dispose]() {},
}
