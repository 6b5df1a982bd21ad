import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run, scratchMount, traceRun } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'

const source = new URL('../index.ts', import.meta.url).href

/**
 * A program that mounts an overlay and a read-only bind mount, prints what the table has of them, and
 * unmounts one.
 */
const program = (dir: string) => [
  '--conditions=@nsbox/source',
  '--import',
  import.meta.resolve('tsx'),
  '--input-type=module',
  '-e',
  `
  import { listMounts, mount, overlayMount, unmount } from ${JSON.stringify(source)}
  const dir = ${JSON.stringify(dir)}
  await mount(overlayMount({ lower: [dir + '/a', dir + '/b'] }, ['nosuid']), dir + '/overlay')
  await mount({ type: 'bind', source: dir + '/a', options: ['rbind', 'ro', 'rslave'] }, dir + '/bind')
  const infos = await listMounts({ under: dir })
  console.log(JSON.stringify(infos.slice(1).map(({ mountPoint, type, options }) => [mountPoint, type, options])))
  await unmount(dir + '/bind')`,
]

const calls = ['umount2', 'mount', 'fsopen', 'open_tree', 'mount_setattr', 'move_mount']

describeWith({ root: true, linux: true, programs: ['strace'] }, 'the calls that mounting makes', () => {
  const prepared = async () => {
    const scratch = await scratchMount()
    for (const name of ['a', 'b', 'overlay', 'bind']) await mkdir(join(scratch.path, name))
    const expected = [
      [join(scratch.path, 'overlay'), 'overlay', ['rw', 'nosuid', 'relatime']],
      [join(scratch.path, 'bind'), 'tmpfs', ['ro', 'relatime']],
    ]
    return { scratch, expected }
  }

  test('are the new ones where the kernel has them', async () => {
    const { scratch, expected } = await prepared()
    await using _ = scratch
    const result = await traceRun(calls, process.execPath, program(scratch.path))
    expect(JSON.parse(result.stdout)).toEqual(expected)
    const unmounting = result.calls.find(({ name }) => name === 'umount2')!
    const mounting = result.calls.filter((call) => call !== unmounting)
    expect(mounting.map(({ name }) => name)).toEqual([
      'fsopen',
      'fsopen',
      'move_mount',
      'open_tree',
      'mount_setattr',
      'mount_setattr',
      'move_mount',
    ])
    // Unmounting may wait for a disk, so the thread of the event loop must not do it.
    expect(mounting.map(({ pid }) => pid)).not.toContain(unmounting.pid)
  })

  test.each([
    'fsopen,open_tree,move_mount,mount_setattr',
    // Linux 5.2 to 5.11.
    'mount_setattr',
  ])('give the same where the kernel lacks %s', async (missing) => {
    const { scratch, expected } = await prepared()
    await using _ = scratch
    const inject = [
      '--follow-forks',
      '--trace=none',
      `--inject=${missing}:error=ENOSYS`,
      '--output=/dev/null',
    ]
    const result = await run('strace', [...inject, '--', process.execPath, ...program(scratch.path)])
    expect(result.stderr).toBe('')
    expect(JSON.parse(result.stdout)).toEqual(expected)
  })
})
