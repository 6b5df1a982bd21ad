import { readdirSync } from 'node:fs'
import type { FileCalls } from '@nsbox/sys/files'
import { needs, type RawHeader } from '@nsbox/testing'
import { describe, expect, test, vi } from 'vitest'
import { useLayerSandbox } from '../testing/layer-sandbox.ts'

// Few kernels can make a file system that folds names, so one is simulated: every name is folded before the call.
vi.mock('@nsbox/sys/files', async (original) => {
  const real = await original<typeof import('@nsbox/sys/files')>()
  const fold = (name: string) =>
    Buffer.from(Buffer.from(name, 'latin1').toString('utf8').normalize('NFC').toLowerCase()).toString(
      'latin1',
    )
  const { fileCalls: calls } = real
  const fileCalls: FileCalls = {
    ...calls,
    openat2: (fd, name, ...rest) => calls.openat2(fd, fold(name), ...rest),
    mkdirat: (fd, name, mode) => calls.mkdirat(fd, fold(name), mode),
    mknodat: (fd, name, ...rest) => calls.mknodat(fd, fold(name), ...rest),
    symlinkat: (target, fd, name) => calls.symlinkat(target, fd, fold(name)),
    linkat: (fromFd, from, toFd, to) => calls.linkat(fromFd, fold(from), toFd, fold(to)),
    unlinkat: (fd, name, itself) => calls.unlinkat(fd, fold(name), itself),
    fchownat: (fd, name, ...rest) => calls.fchownat(fd, fold(name), ...rest),
    utimensat: (fd, name, ...rest) => calls.utimensat(fd, fold(name), ...rest),
  }
  return { ...real, fileCalls }
})

const reason = needs({ linux: true, root: true, programs: ['python3'] })
const directory = (name: string): RawHeader => ({ name, type: '5', mode: 0o755 })

describe.skipIf(reason)(`layers on a file system that folds names (${reason ?? 'as root'})`, () => {
  const sandbox = useLayerSandbox()

  test.each<[string, RawHeader[]]>([
    [
      'two files whose names differ in case',
      [
        { name: 'A', content: '1' },
        { name: 'a', content: '2' },
      ],
    ],
    ['two files whose names are composed in two ways', [{ name: 'é' }, { name: 'e\u0301' }]],
    ['two directories', [directory('D'), directory('d')]],
    ['two directories that names imply', [{ name: 'D/x' }, { name: 'd/y' }]],
    ['two directories deep down', [{ name: 'a/b/C/d/x' }, { name: 'a/b/c/d/y' }]],
    [
      'a directory that a name implies, and a link',
      [{ name: 'L', type: '2', linkName: 'x' }, { name: 'l/y' }],
    ],
    ['a file and a link', [{ name: 'A' }, { name: 'a', type: '2', linkName: 'x' }]],
    ['a file and a hard link', [{ name: 'A' }, { name: 'x' }, { name: 'a', type: '1', linkName: 'x' }]],
    ['a file and a FIFO', [{ name: 'A' }, { name: 'a', type: '6' }]],
  ])('A21 %s are not taken for one', async (_, entries) => {
    const last = entries[entries.length - 1]!.name
    for (const form of ['overlay', 'plain'] as const) {
      await expect(sandbox().apply(entries, { form })).rejects.toMatchObject({
        code: 'failed_precondition',
        details: { entry: last },
      })
      await sandbox().clear()
    }
  })

  test.each<[RawHeader[], string]>([
    [[{ name: 'etc/Makefile' }, { name: 'etc/makefile' }], '"Makefile" and "makefile"'],
    [[{ name: 'é' }, { name: 'e\u0301' }], '"é" and "e\u0301"'],
    [[{ name: 'a/C/d/x' }, { name: 'a/c/d/y' }], '"C" and "c"'],
  ])('A21 the refusal of %j has both names', async (entries, names) => {
    const message = expect.stringContaining(`takes ${names} of the layer for one`)
    await expect(sandbox().apply(entries)).rejects.toMatchObject({ message })
  })

  test('A21 a whiteout removes nothing that the layer has under another name', async () => {
    const entries = [{ name: 'F', content: 'ours' }, { name: '.wh.f' }]
    await expect(sandbox().apply(entries, { form: 'overlay' })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
    expect(readdirSync(sandbox().root)).toEqual(['f'])
  })

  test('a layer whose names stay apart is applied', async () => {
    await sandbox().apply([
      directory('D'),
      { name: 'D/x' },
      { name: 'D/x' },
      { name: 'D/y', type: '1', linkName: 'D/x' },
    ])
    expect(readdirSync(`${sandbox().root}/d`)).toEqual(['x', 'y'])
  })
})
