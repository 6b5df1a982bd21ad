import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { bundleSources, tar, tempDir, traceRun } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'

const mediaType = 'application/vnd.oci.image.layer.v1.tar'

/** The calls that extraction makes, other than those that read the layer. */
const calls = [
  ...['open', 'openat', 'openat2', 'close', 'write', 'writev', 'pwrite64', 'mkdir', 'mkdirat', 'ftruncate'],
  ...[
    'chown',
    'fchown',
    'lchown',
    'fchownat',
    'chmod',
    'fchmod',
    'fchmodat',
    'utimensat',
    'unlink',
    'unlinkat',
  ],
  ...[
    'stat',
    'lstat',
    'fstat',
    'newfstatat',
    'statx',
    'lsetxattr',
    'fsetxattr',
    'fsync',
    'rename',
    'renameat',
  ],
]

const count = (names: readonly string[], wanted: string) => names.filter((name) => name === wanted).length

describeWith({ root: true, linux: true, programs: ['strace'] }, 'the extraction of a layer', () => {
  it('makes four system calls for each file', async () => {
    await using directory = await tempDir('nsbox-system-calls')
    const program = await bundleSources(
      `import { applyLayer } from './apply-layer.ts'
      const [path, size, root] = process.argv.slice(2)
      const layer = { path, size: Number(size) }
      await applyLayer({ layer, mediaType: '${mediaType}', root, form: 'plain', programs: false })`,
      import.meta.dirname,
      directory.path,
    )
    const callsFor = async (files: number) => {
      const bytes = await buffer(
        tar(
          Array.from({ length: files }, (_, index) => ({
            name: `dir/file-${index}`,
            content: `content of ${index}`,
          })),
        ),
      )
      const layer = join(directory.path, `layer-${files}`)
      const root = join(directory.path, `root-${files}`)
      await mkdir(root)
      await writeFile(layer, bytes)
      const args = [program, layer, `${bytes.length}`, root]
      const traced = await traceRun(calls, process.execPath, args)
      expect({ code: traced.code, stderr: traced.stderr }).toEqual({ code: 0, stderr: '' })
      return traced.calls.map(({ name }) => name)
    }
    const few = await callsFor(100)
    const many = await callsFor(200)
    // Rounded: Node's own threads make some as well, now more and now fewer.
    const perFile = calls
      .map((call) => [call, Math.round((count(many, call) - count(few, call)) / 100)] as const)
      .filter(([, difference]) => difference > 0)
    // To make it, to fill it, to set its time and to close it; owner and mode are right from the beginning.
    expect(Object.fromEntries(perFile)).toEqual({ openat2: 1, write: 1, utimensat: 1, close: 1 })
  })
})
