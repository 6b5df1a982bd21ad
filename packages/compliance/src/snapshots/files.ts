import {
  appendFile,
  chmod,
  chown,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { subjectTest } from '../subject-test.ts'
import type { SnapshotterClaims } from './claims.ts'
import { inView, layer, tree } from './layers.ts'
import type { CreateSnapshotter } from './subject.ts'

const mode = async (path: string) => (await stat(path)).mode & 0o7777

export function fileTests(create: CreateSnapshotter, claims: SnapshotterClaims): void {
  describe('files', () => {
    const test = subjectTest(create)

    test('are what the last layer that names them says', async (subject) => {
      await layer(subject, 'one', undefined, async (path) => {
        await mkdir(join(path, 'a/b'), { recursive: true })
        for (const name of ['a/b/1', 'a/b/2', 'a/3', 'gone']) await writeFile(join(path, name), 'one')
      })
      await layer(subject, 'two', 'one', async (path) => {
        await rm(join(path, 'gone'))
        await rm(join(path, 'a/b'), { recursive: true })
        await mkdir(join(path, 'a/b'))
        await writeFile(join(path, 'a/b/2'), 'two')
      })
      await layer(subject, 'three', 'two', async (path) => {
        await rm(join(path, 'a/3'))
        await mkdir(join(path, 'a/3'))
        await symlink('a/b/2', join(path, 'gone'))
      })
      const one = {
        a: 'directory',
        'a/3': 'one',
        'a/b': 'directory',
        'a/b/1': 'one',
        'a/b/2': 'one',
        gone: 'one',
      }
      const two = { a: 'directory', 'a/3': 'one', 'a/b': 'directory', 'a/b/2': 'two' }
      expect(await inView(subject, 'one', tree)).toEqual(one)
      expect(await inView(subject, 'two', tree)).toEqual(two)
      expect(await inView(subject, 'three', tree)).toEqual({ ...two, 'a/3': 'directory', gone: '-> a/b/2' })
    })

    test('deleted in a child are still there in the parent', async (subject) => {
      await layer(subject, 'base', undefined, async (path) => {
        await writeFile(join(path, 'foo'), '')
        await writeFile(join(path, 'bar'), '')
      })
      await layer(subject, 'without', 'base', (path) => rm(join(path, 'foo')))
      await layer(subject, 'top', 'without', (path) => writeFile(join(path, 'baz'), ''))
      expect(Object.keys(await inView(subject, 'top', tree))).toEqual(['bar', 'baz'])
      expect(Object.keys(await inView(subject, 'base', tree))).toEqual(['bar', 'foo'])
    })

    test('of a lower layer can be appended to, renamed, and replaced', async (subject) => {
      await layer(subject, 'base', undefined, async (path) => {
        for (const name of ['appended', 'moved', 'target']) await writeFile(join(path, name), name)
      })
      await layer(subject, 'top', 'base', async (path) => {
        await appendFile(join(path, 'appended'), ' more')
        await rename(join(path, 'moved'), join(path, 'target'))
      })
      expect(await inView(subject, 'top', tree)).toEqual({ appended: 'appended more', target: 'moved' })
      expect(await inView(subject, 'base', tree)).toMatchObject({ moved: 'moved', target: 'target' })
    })

    test('keep owners, modes and times through a commit', async (subject) => {
      const then = new Date('2001-02-03T04:05:06Z')
      await layer(subject, 'base', undefined, async (path) => {
        await mkdir(join(path, 'sticky'))
        await writeFile(join(path, 'setuid'), '')
        await chown(join(path, 'setuid'), 1234, 5678)
        await chmod(join(path, 'setuid'), 0o4751)
        await chmod(join(path, 'sticky'), 0o1777)
        await utimes(join(path, 'setuid'), then, then)
      })
      await layer(subject, 'top', 'base', async (path) => {
        await chown(join(path, 'sticky'), 1, 2)
      })
      await inView(subject, 'top', async (path) => {
        const file = await stat(join(path, 'setuid'))
        expect(file).toMatchObject({ uid: 1234, gid: 5678, mtime: then })
        expect(file.mode & 0o7777).toBe(0o4751)
        expect(await stat(join(path, 'sticky'))).toMatchObject({ uid: 1, gid: 2 })
        expect(await mode(join(path, 'sticky'))).toBe(0o1777)
      })
      await inView(subject, 'base', async (path) => {
        expect(await stat(join(path, 'sticky'))).toMatchObject({ uid: 0, gid: 0 })
      })
    })

    test('can change hands in a child, in a directory of the parent', async (subject) => {
      await layer(subject, 'base', undefined, async (path) => {
        await mkdir(join(path, 'opt/a'), { recursive: true })
        await writeFile(join(path, 'opt/a/file'), 'x')
      })
      await layer(subject, 'top', 'base', async (path) => {
        await chown(join(path, 'opt'), 1, 1)
        await chown(join(path, 'opt/a/file'), 2, 2)
      })
      await inView(subject, 'top', async (path) => {
        expect(await stat(join(path, 'opt'))).toMatchObject({ uid: 1, gid: 1 })
        expect(await stat(join(path, 'opt/a'))).toMatchObject({ uid: 0, gid: 0 })
        expect(await stat(join(path, 'opt/a/file'))).toMatchObject({ uid: 2, gid: 2 })
      })
    })

    test('of one inode stay linked', async (subject) => {
      await layer(subject, 'base', undefined, async (path) => {
        await writeFile(join(path, 'one'), 'x')
        await link(join(path, 'one'), join(path, 'two'))
      })
      await inView(subject, 'base', async (path) => {
        const [one, two] = [await stat(join(path, 'one')), await stat(join(path, 'two'))]
        expect([one.ino, one.nlink]).toEqual([two.ino, 2])
      })
      await layer(subject, 'top', 'base', async (path) => {
        await link(join(path, 'two'), join(path, 'three'))
        await appendFile(join(path, 'three'), 'y')
      })
      await inView(subject, 'top', async (path) => {
        expect(await readFile(join(path, 'three'), 'utf8')).toBe('xy')
        expect((await stat(join(path, 'two'))).ino).toBe((await stat(join(path, 'three'))).ino)
      })
    })
  })

  describe('the root directory', () => {
    const test = subjectTest(create)

    test('begins with mode 0755 and belongs to root', async ({ snapshotter, withMounts }) => {
      const umask = process.umask(0o077)
      try {
        await withMounts(await snapshotter.prepare('key', undefined), async (path) => {
          expect(await mode(path)).toBe(0o755)
          expect(await stat(path)).toMatchObject({ uid: 0, gid: 0 })
        })
      } finally {
        process.umask(umask)
      }
    })

    subjectTest(create, claims.rootDirectory)(
      'is handed on to children with owner, mode and time',
      async (subject) => {
        const { snapshotter, withMounts } = subject
        const then = new Date('2001-02-03T04:05:06Z')
        await layer(subject, 'one', undefined, async (path) => {
          await chown(path, 1, 2)
          await chmod(path, 0o2711)
          await utimes(path, then, then)
        })
        await layer(subject, 'two', 'one')
        for (const mounts of [
          await snapshotter.view('view', 'two'),
          await snapshotter.prepare('active', 'two'),
        ])
          await withMounts(mounts, async (path) => {
            expect(await mode(path)).toBe(0o2711)
            expect(await stat(path)).toMatchObject({ uid: 1, gid: 2, mtime: then })
          })
      },
    )
  })
}
