import { mkdir, open, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gnuLongName, paxHeader, rawEntry, rawTar, runOrThrow, tempDir } from '@nsbox/testing'

/** Small real archives: of GNU tar in all its formats, and some with features that it does not write. */
export async function tarSeeds(): Promise<Buffer[]> {
  await using dir = await tempDir('nsbox-seeds')
  const tree = join(dir.path, 'tree')
  await mkdir(join(tree, 'd/e'), { recursive: true })
  await writeFile(join(tree, 'd/file'), 'content')
  await writeFile(join(tree, `d/${'long-name-'.repeat(12)}`), '')
  await symlink(`target/${'x'.repeat(120)}`, join(tree, 'd/link'))
  await using sparse = await open(join(tree, 'sparse'), 'w')
  await sparse.write('begin', 0)
  await sparse.write('middle', 65_536)
  await sparse.truncate(200_000)
  const written: Buffer[] = []
  const formats = [
    ['--format=gnu', '--sparse'],
    ['--format=posix', '--sparse', '--sparse-version=0.0'],
    ['--format=posix', '--sparse', '--sparse-version=0.1'],
    ['--format=posix', '--sparse', '--sparse-version=1.0'],
    ['--format=posix', '--xattrs'],
  ]
  for (const options of formats) {
    const { stdoutBytes } = await runOrThrow('tar', [
      ...options,
      '--blocking-factor=1',
      '-C',
      tree,
      '-cf',
      '-',
      '.',
    ])
    written.push(Buffer.from(stdoutBytes))
  }
  await rm(join(tree, 'd'), { recursive: true })
  await rm(join(tree, 'sparse'))
  await writeFile(join(tree, 'plain'), 'x'.repeat(600))
  for (const format of ['v7', 'ustar', 'oldgnu']) {
    const { stdoutBytes } = await runOrThrow('tar', [
      `--format=${format}`,
      '--blocking-factor=1',
      '-C',
      tree,
      '-cf',
      '-',
      '.',
    ])
    written.push(Buffer.from(stdoutBytes))
  }
  const device = rawEntry({ name: 'dev/null', type: '3', major: 1, minor: 3 })
  const times = paxHeader([
    ['mtime', '-1.5'],
    ['uid', '70000'],
    ['SCHILY.xattr.user.a', 'b'],
    ['path', 'p'.repeat(150)],
  ])
  const entries = [rawEntry({ name: 'a', content: 'a' }), rawEntry({ name: 'b', type: '1', linkName: 'a' })]
  return [
    ...written,
    rawTar(device, times, ...entries),
    rawTar(
      gnuLongName('L', 'l'.repeat(300)),
      gnuLongName('K', 'k'.repeat(300)),
      rawEntry({ name: 's', type: '2' }),
    ),
    rawTar(rawEntry({ name: 'old/', type: '\0', magic: '' }), rawEntry({ name: 'big', size: 1n << 40n })),
    rawTar(
      rawEntry({ name: 'etc/.wh.passwd' }),
      rawEntry({ name: 'etc/.wh..wh..opq' }),
      rawEntry({ name: '../up' }),
    ),
  ]
}

/** Pieces with a meaning in archives. */
export const tarDictionary = [
  'ustar\x0000',
  'ustar  \0',
  '../',
  '/',
  '.wh.',
  '.wh..wh..opq',
  '\0',
  '30 GNU.sparse.map=0,1,5,6\n',
  '19 GNU.sparse.major=1\n',
  '11 size=99\n',
  '12 path=../x\n',
  '20 linkpath=../../x\n',
  '27 SCHILY.xattr.user.a=bcd\n',
  Buffer.alloc(512),
  Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 1]),
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
]

/** Corrects the checksums of headers, as far as their sizes lead from one to the next. */
export function withChecksums(archive: Buffer): Buffer {
  const bytes = Buffer.from(archive)
  for (let at = 0; at + 512 <= bytes.length; ) {
    const block = bytes.subarray(at, at + 512)
    if (block.every((byte) => byte === 0)) break
    const octal = /^ *([0-7]+)/.exec(block.toString('latin1', 124, 136))?.[1] ?? '0'
    block.fill(0x20, 148, 156)
    const sum = block.reduce((total, byte) => total + byte, 0)
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    const hasData = !['1', '2', '3', '4', '5', '6'].includes(String.fromCharCode(block[156]!))
    at += 512 + (hasData ? Math.ceil(Number.parseInt(octal, 8) / 512) * 512 : 0)
  }
  return bytes
}
