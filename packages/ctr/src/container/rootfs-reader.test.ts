import { link, mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { openRootfs } from './rootfs-reader.ts'

const onLinux = test.skipIf(process.platform !== 'linux')

/** A directory with a root filesystem in it, and a host's file beside that. */
async function hostAndRootfs() {
  const host = await tempDir()
  const etc = join(host.path, 'rootfs/etc')
  await mkdir(etc, { recursive: true })
  await writeFile(join(host.path, 'secret'), 'root:x:0:0::/:\n')
  const rootfs = await openRootfs(join(host.path, 'rootfs'))
  return {
    host: host.path,
    etc,
    read: (name: string, maxBytes = 100) => rootfs.readFile(name, { maxBytes }),
    async [Symbol.asyncDispose]() {
      await rootfs[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
    },
  }
}

onLinux('reads a file, by links that are followed inside, and says what is not there', async () => {
  await using tree = await hostAndRootfs()
  await writeFile(join(tree.etc, 'users'), 'web:x:1:1::/:\n')
  await symlink('/etc/users', join(tree.etc, 'passwd'))
  expect(String(await tree.read('/etc/passwd'))).toBe('web:x:1:1::/:\n')
  expect(await tree.read('/etc/group')).toBeUndefined()
})

onLinux('A22 a FIFO in the place of an account file is refused, and not waited for', async () => {
  await using tree = await hostAndRootfs()
  const fifo = join(tree.host, 'fifo')
  await runOrThrow('mkfifo', [fifo])
  await link(fifo, join(tree.etc, 'passwd'))
  await expect(tree.read('/etc/passwd')).rejects.toMatchObject({ code: 'invalid_argument' })
})

onLinux('A22 a link in the place of an account file leads to nothing of the host', async () => {
  await using tree = await hostAndRootfs()
  await runOrThrow('mkfifo', [join(tree.host, 'fifo')])
  for (const [name, target] of [
    ['climbing', '../../secret'],
    ['absolute', join(tree.host, 'secret')],
    ['waiting', join(tree.host, 'fifo')],
  ] as const) {
    await symlink(target, join(tree.etc, name))
    expect(await tree.read(`/etc/${name}`)).toBeUndefined()
  }
  await symlink('/proc/self/root/etc/passwd', join(tree.etc, 'magic'))
  expect(await tree.read('/etc/magic')).toBeUndefined()
})

onLinux('A23 an account file of more bytes than are allowed is refused, however large', async () => {
  await using tree = await hostAndRootfs()
  const file = join(tree.etc, 'passwd')
  await writeFile(file, 'x'.repeat(100))
  expect((await tree.read('/etc/passwd'))?.length).toBe(100)
  for (const size of [101, 1e12]) {
    await truncate(file, size)
    await expect(tree.read('/etc/passwd')).rejects.toMatchObject({ code: 'invalid_argument' })
  }
})
