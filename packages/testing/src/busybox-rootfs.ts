import { chmod, cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow } from './run.ts'

/** How to mount a root filesystem. */
export interface RootfsMount {
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

/** Makes a root filesystem with Debian's static busybox and a link for each of its commands. */
export async function busyboxRootfs(path: string): Promise<RootfsMount[]> {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys']) {
    await mkdir(join(path, name), { recursive: true })
  }
  await mkdir(join(path, 'tmp'))
  await chmod(join(path, 'tmp'), 0o1777)
  await cp('/usr/bin/busybox', join(path, 'bin/busybox'))
  const { stdout } = await runOrThrow('/usr/bin/busybox', ['--list'])
  const names = stdout.split('\n').filter((name) => name !== '' && name !== 'busybox')
  await Promise.all(names.map((name) => symlink('busybox', join(path, 'bin', name))))
  return [{ type: 'bind', source: path, options: ['rbind', 'rw'] }]
}
