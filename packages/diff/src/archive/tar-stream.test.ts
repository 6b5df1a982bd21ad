import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { paxHeader, rawEntry, rawTar, tar, untar } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import type { TarEntry } from '../tar/tar-entry.ts'
import { tarHeader } from '../tar/write-header.ts'
import { readTar } from './read-tar.ts'

// Reasons why archives are not read and written by tar-stream (docs/dependencies.md): each is what it does, and what
// layers and hostile archives need. Where a test fails for a newer version of it, a reason is gone.

/** The first entry of an archive, as we read it. */
async function ours(archive: Uint8Array): Promise<TarEntry> {
  for await (const { entry } of readTar(Readable.from([archive]))) return entry
  throw new Error('no entry')
}

const plain: TarEntry = {
  type: 'file',
  name: 'file',
  linkName: '',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { seconds: 0, nanoseconds: 0 },
  major: 0,
  minor: 0,
  xattrs: new Map(),
}

describe('tar-stream', () => {
  it('reads attributes as text, which those of files are not', async () => {
    const value = Buffer.from('0100000280ff', 'hex')
    const name = 'security.capability'
    const archive = rawTar(paxHeader([[`SCHILY.xattr.${name}`, value]]), rawEntry({}))
    const [read] = await untar(archive)
    const { [`SCHILY.xattr.${name}`]: text } = read!.header.pax as Record<string, string>
    expect(Buffer.from(text!)).not.toEqual(value)
    expect((await ours(archive)).xattrs.get(name)).toEqual(value)
  })

  it('reads names as text, so that two names become one', async () => {
    const names = [Buffer.from('caf\xe8', 'latin1'), Buffer.from('caf\xe9', 'latin1')]
    const archives = names.map((name) => rawTar(rawEntry({ name })))
    const read = await Promise.all(archives.map(async (each) => (await untar(each))[0]!.header.name))
    expect(read[0]).toBe(read[1])
    expect((await Promise.all(archives.map(ours))).map(({ name }) => name)).toEqual(['caf\xe8', 'caf\xe9'])
  })

  it('gives the stored pieces of a sparse file for the file', async () => {
    const sparse = [
      ['GNU.sparse.size', '1000000'],
      ['GNU.sparse.map', '999995,5'],
    ] as const
    const [read] = await untar(rawTar(paxHeader(sparse), rawEntry({ content: 'hello' })))
    expect(read).toMatchObject({ header: { type: 'file', size: 5 }, content: Buffer.from('hello') })
  })

  it('takes an archive that ends before its entry, or without any, for a whole one', async () => {
    for (const archive of [paxHeader([['path', 'lost']]), Buffer.alloc(0)]) {
      expect(await untar(archive)).toEqual([])
      await expect(ours(archive)).rejects.toMatchObject({ code: 'data_loss' })
    }
  })

  it('copies all that a global header says, of up to 4 MiB, for each entry', async () => {
    const records = Array.from({ length: 5000 }, (_, index) => [`key${index}`, ''] as const)
    const said = paxHeader(records).subarray(512)
    const entries = ['a', 'b'].map((name) => Buffer.concat([paxHeader([['path', name]]), rawEntry({})]))
    const read = await untar(rawTar(rawEntry({ type: 'g', content: said }), ...entries))
    expect(read.map(({ header }) => Object.keys(header.pax as object).length)).toEqual([5001, 5001])
    const pax = rawTar(paxHeader(records), rawEntry({}))
    expect((await untar(pax))[0]!.header.pax).toMatchObject({ key4999: '' })
    await expect(ours(pax)).rejects.toMatchObject({ code: 'resource_exhausted' })
  })

  it('writes other owners and times than it is given, beyond 18 and 31 bits', async () => {
    const seconds = Date.parse('2040-01-01') / 1000
    const given = { uid: 1_000_000, mtime: seconds }
    const theirs = await ours(await buffer(tar([{ name: 'file', content: '', ...given }])))
    expect(theirs.uid).toBe(0o777777)
    expect(theirs.mtime.seconds).not.toBe(seconds)
    const written = { ...plain, uid: 1_000_000, mtime: { seconds, nanoseconds: 5 } }
    expect(await ours(Buffer.concat([tarHeader(written), Buffer.alloc(1024)]))).toEqual(written)
  })
})
