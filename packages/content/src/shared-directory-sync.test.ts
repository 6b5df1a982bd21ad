import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { run, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { sharedDirectorySync } from './durability.ts'

test('fails for all who share a sync, and not for who comes later', async () => {
  await using dir = await tempDir('nsbox-content')
  const path = join(dir.path, 'missing')
  const sync = sharedDirectorySync(path, 'full')
  const all = await Promise.allSettled([sync.run(), sync.run(), sync.run()])
  expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  await rm(path, { force: true })
  await expect(sharedDirectorySync(dir.path, 'full').run()).resolves.toBeUndefined()
  await expect(sync.run()).rejects.toThrow('ENOENT')
  await expect(sharedDirectorySync(path, 'relaxed').run()).resolves.toBeUndefined()
})

describeWith({ linux: true, programs: ['strace'] }, 'the syncs of a directory', () => {
  test('are shared by those who ask while one is under way, and by nobody who asks later', async () => {
    await using dir = await tempDir('nsbox-content')
    const { code, stderr } = await run('strace', [
      ...['--follow-forks', '--trace=fsync', '--', process.execPath],
      ...[
        '--conditions=@nsbox/source',
        '--import',
        import.meta.resolve('tsx'),
        '--input-type=module',
        '--eval',
      ],
      `import { sharedDirectorySync } from ${JSON.stringify(join(import.meta.dirname, 'durability.ts'))}
      const sync = sharedDirectorySync(${JSON.stringify(dir.path)}, 'full')
      const first = sync.run()
      await null
      await Promise.all([first, ...Array.from({ length: 20 }, () => sync.run())])
      await sync.run()`,
    ])
    expect(code).toBe(0)
    expect(stderr.match(/fsync\(/g)).toHaveLength(3)
  })
})
