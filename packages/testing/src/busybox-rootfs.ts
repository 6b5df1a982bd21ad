import { symlinkSync } from 'node:fs'
import { chmod, cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow } from './run.ts'

/** How to mount a root filesystem. */
export interface RootfsMount {
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

let commands: Promise<readonly string[]> | undefined

/** Makes a root filesystem with Debian's static busybox and a link for each of its commands. */
export async function busyboxRootfs(path: string): Promise<RootfsMount[]> {
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys']) {
    await mkdir(join(path, name), { recursive: true })
  }
  await mkdir(join(path, 'tmp'))
  await chmod(join(path, 'tmp'), 0o1777)
  await cp('/usr/bin/busybox', join(path, 'bin/busybox'))
  commands ??= runOrThrow('/usr/bin/busybox', ['--list']).then(({ stdout }) =>
    stdout.split('\n').filter((name) => name !== '' && name !== 'busybox'),
  )
  // Several hundred: a promise each costs more than the link.
  for (const name of await commands) symlinkSync('busybox', join(path, 'bin', name))
  return [{ type: 'bind', source: path, options: ['rbind', 'rw'] }]
}
