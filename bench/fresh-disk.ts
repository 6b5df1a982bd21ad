import { execFileSync } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'

/** A file system that nobody has used yet. Disposing of it unmounts it. */
export interface FreshDisk extends AsyncDisposable {
  readonly path: string
}

/** In memory, as `/run` is, where daemons keep what ends with the host. */
export const stateDirectory = 'state'

/**
 * Makes the file that disks are made in, by default with room for the largest image, twice. It is written once, from
 * end to end: blocks that are only reserved cost a change of the file's own metadata when they are written first.
 */
export async function diskImage(directory: string, megabytes = 5000): Promise<string> {
  const path = join(directory, 'disk.img')
  const args = [
    'if=/dev/zero',
    `of=${path}`,
    'bs=4M',
    `count=${megabytes / 4}`,
    'oflag=direct',
    'status=none',
  ]
  await runOrThrow('dd', args, { timeout: 600_000 })
  return path
}

/**
 * Makes an ext4 in an image and mounts it. On one that was used, the inodes of what was just removed are not given out
 * again for minutes, which makes creating files up to six times slower; a fresh one for each measurement is the same
 * for all.
 */
export async function freshDisk(image: string): Promise<FreshDisk> {
  await using made = new AsyncDisposableStack()
  const path = `${image}.mounted`
  await mkdir(path, { recursive: true })
  const loop = (await runOrThrow('losetup', ['--find', '--show', '--direct-io=on', image])).stdout.trim()
  made.defer(async () => void (await runOrThrow('losetup', ['--detach', loop])))
  const options = 'nodiscard,lazy_itable_init=0,lazy_journal_init=0'
  await runOrThrow('mkfs.ext4', ['-q', '-F', '-E', options, '-N', '400000', loop], { timeout: 120_000 })
  await runOrThrow('mount', ['-o', 'relatime', loop, path])
  made.defer(async () => void (await runOrThrow('umount', [path])))
  await mkdir(join(path, stateDirectory))
  await runOrThrow('mount', ['-t', 'tmpfs', '-o', 'mode=0700', 'tmpfs', join(path, stateDirectory)])
  made.defer(async () => void (await runOrThrow('umount', [join(path, stateDirectory)])))
  // A run that is interrupted leaves no mount; its loop device goes with the last who uses it.
  const unmountAtExit = () =>
    execFileSync('sh', ['-c', 'umount --lazy "$1"; losetup --detach "$2"', 'sh', path, loop])
  process.prependOnceListener('exit', unmountAtExit)
  made.defer(() => void process.off('exit', unmountAtExit))
  await runOrThrow('sync', [])
  const stack = made.move()
  return { path, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
