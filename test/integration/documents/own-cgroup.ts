import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listMounts } from '@nsbox/mount'

/** A cgroup in every hierarchy of the host, with one for programs in it. */
export interface OwnCgroup extends AsyncDisposable {
  /** For each hierarchy: where it is mounted, the type of file system, and the options to mount it again. */
  readonly mounts: readonly string[]
  /** What starts a program in the cgroup itself, or in the one for programs. */
  within(below?: 'programs'): readonly string[]
}

/** Makes one. Disposing of it removes it, with all that has been made in it, once no process is in there. */
export async function openOwnCgroup(name: string): Promise<OwnCgroup> {
  const hierarchies = (await listMounts())
    .filter(
      ({ type, mountPoint }) => type.startsWith('cgroup') && /^\/sys\/fs\/cgroup(\/|$)/.test(mountPoint),
    )
    .map(({ type, mountPoint }) => ({ type, mountPoint, own: join(mountPoint, name) }))
  for (const { mountPoint, own } of hierarchies) {
    await mkdir(own)
    // A cgroup of the first version takes no process before it has processors and memory.
    if (basename(mountPoint) === 'cpuset') {
      for (const file of ['cpuset.cpus', 'cpuset.mems'])
        await writeFile(join(own, file), await readFile(join(mountPoint, file)))
      await writeFile(join(own, 'cgroup.clone_children'), '1')
    }
    await mkdir(join(own, 'programs'))
  }
  return {
    mounts: hierarchies.map(({ type, mountPoint }) => `${mountPoint} ${type} ${options(type, mountPoint)}`),
    within(below = undefined) {
      const files = hierarchies.map(({ own }) => join(own, below ?? '', 'cgroup.procs'))
      return ['sh', '-ec', `${files.map((file) => `echo $$ > ${file}`).join('\n')}\nexec "$@"`, 'sh']
    },
    async [Symbol.asyncDispose]() {
      const until = performance.now() + 30_000
      for (;;) {
        const removals = await Promise.allSettled(hierarchies.map(({ own }) => removeTree(own)))
        const failed = removals.find(({ status }) => status === 'rejected')
        if (failed === undefined) return
        if (performance.now() > until) throw (failed as PromiseRejectedResult).reason
        await delay(50)
      }
    },
  }
}

/** A hierarchy of the first version is mounted by its controllers, which its directory is named after, or by a name. */
function options(type: string, mountPoint: string): string {
  if (type === 'cgroup2') return 'rw'
  const name = basename(mountPoint)
  return name === 'systemd' ? 'none,name=systemd' : name
}

async function removeTree(directory: string): Promise<void> {
  if (!existsSync(directory)) return
  for (const entry of await readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await removeTree(join(directory, entry.name))
  await rmdir(directory)
}
