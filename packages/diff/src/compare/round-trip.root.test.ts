import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileCalls } from '@nsbox/sys/files'
import { compareTrees, needs, readTree, runOrThrow, tempDir } from '@nsbox/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyLayer } from '../apply/apply-layer.ts'
import type { LayerSource } from './layer-source.ts'
import { writeLayer } from './write-layer.ts'

const reason = needs({ linux: true, root: true, programs: ['python3', 'mount', 'umoci'] })

/** One thing that a generated tree holds; what cannot be made there, since its parent is none, is left out. */
interface Thing {
  readonly path: readonly string[]
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'device' | 'link'
  readonly content: string
  readonly mode: number
  readonly owner: number
  readonly time: number
  readonly attribute: boolean
}

const name = fc.constantFrom('a', 'b', 'ä', 'c.d', 'n'.repeat(120))
const thing: fc.Arbitrary<Thing> = fc.record({
  path: fc.array(name, { minLength: 1, maxLength: 3 }),
  kind: fc.constantFrom('file', 'file', 'directory', 'directory', 'symlink', 'fifo', 'device', 'link'),
  content: fc.constantFrom('', 'one', 'two', 'x'.repeat(513), '../a', '/b'),
  mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o2700, 0o1777, 0),
  owner: fc.constantFrom(0, 1, 100_000, 3_000_000_000),
  time: fc.constantFrom(0, 1, 1_600_000_000, 1_600_000_000.5, -1.5),
  attribute: fc.boolean(),
})
const trees = fc.tuple(fc.array(thing, { maxLength: 14 }), fc.array(thing, { maxLength: 10 }), fc.boolean())

function build(root: string, things: readonly Thing[]): void {
  mkdirSync(root)
  const files: string[] = []
  const finish: (() => void)[] = [() => utimesSync(root, 5, 5)]
  for (const { path, kind, content, mode, owner, time, attribute } of things) {
    const at = join(root, ...path)
    // Not through a link, which would lead out of the tree.
    if (!path.every((_, depth) => depth === 0 || isDirectory(join(root, ...path.slice(0, depth))))) continue
    try {
      if (kind === 'file') writeFileSync(at, content, { flag: 'wx' })
      else if (kind === 'directory') mkdirSync(at)
      else if (kind === 'symlink') symlinkSync(content || 'x', at)
      else if (kind === 'link') {
        if (files.length > 0) linkSync(files[content.length % files.length]!, at)
        continue
      } else {
        const [type, minor] = kind === 'fifo' ? [0o010000, 0] : [0o020000, 3]
        const bytes = Buffer.from(at).toString('latin1')
        if (fileCalls.mknodat(-100, bytes, type | 0o600, kind === 'fifo' ? 0 : 1, minor) < 0) continue
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue
      throw error
    }
    if (kind === 'file') files.push(at)
    lchownSync(at, owner, owner)
    if (kind !== 'symlink') chmodSync(at, mode)
    if (attribute && (kind === 'file' || kind === 'directory'))
      fileCalls.lsetxattr(Buffer.from(at).toString('latin1'), 'user.note', Buffer.from(content))
    const seconds = Math.floor(time)
    // Node's own calls take a time before 1970 for the present one.
    const bytes = Buffer.from(at).toString('latin1')
    finish.unshift(() => fileCalls.utimensat(-100, bytes, seconds, (time - seconds) * 1e9))
  }
  for (const each of finish) each()
}

function isDirectory(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

async function layerBytes(source: LayerSource): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of writeLayer(source)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function apply(bytes: Buffer, root: string, path: string): Promise<void> {
  await writeFile(path, bytes)
  const mediaType = 'application/vnd.oci.image.layer.v1.tar'
  await applyLayer({ layer: { path, size: bytes.length }, mediaType, root, form: 'plain' })
}

describe.skipIf(reason)(`layers made of trees (${reason ?? 'as root'})`, () => {
  test('bring any tree to any other: 500 generated pairs', { timeout: 120_000 }, async () => {
    await using dir = await tempDir()
    const pairs = fc.sample(trees, { numRuns: 500, seed: 7 })
    const at = (kind: string, index = '') => join(dir.path, kind, String(index))
    for (const kind of ['lower', 'upper', 'copy']) mkdirSync(at(kind))
    for (const [index, [before, change, related]] of pairs.entries()) {
      const [lower, upper, copy] = ['lower', 'upper', 'copy'].map((kind) => at(kind, String(index))) as [
        string,
        string,
        string,
      ]
      build(lower, before)
      build(upper, related ? [...change, ...before] : change)
      mkdirSync(copy)
      await apply(await layerBytes({ upper: lower, form: 'plain' }), copy, join(dir.path, 'layer'))
      await apply(await layerBytes({ lower, upper, form: 'plain' }), copy, join(dir.path, 'layer'))
    }
    const ignore = (entry: string) => entry === '.'
    expect(compareTrees(await readTree(at('copy')), await readTree(at('upper')), { ignore })).toEqual([])
  })

  test('are empty for trees that are equal, and the same bytes for the same trees', async () => {
    await using dir = await tempDir()
    const [things] = fc.sample(fc.array(thing, { minLength: 20, maxLength: 20 }), {
      numRuns: 1,
      seed: 3,
    }) as [Thing[]]
    const [a, b] = [join(dir.path, 'a'), join(dir.path, 'b')]
    build(a, things)
    build(b, things)
    expect(compareTrees(await readTree(a), await readTree(b))).toEqual([])
    expect((await layerBytes({ lower: a, upper: b, form: 'plain' })).equals(Buffer.alloc(1024))).toBe(true)
    expect(await layerBytes({ upper: a, form: 'plain' })).toEqual(
      await layerBytes({ upper: b, form: 'plain' }),
    )
  })

  test('hold no time later than they are told', async () => {
    await using dir = await tempDir()
    mkdirSync(join(dir.path, 'tree'))
    writeFileSync(join(dir.path, 'tree/new'), '')
    writeFileSync(join(dir.path, 'tree/old'), '')
    utimesSync(join(dir.path, 'tree/old'), 7, 7)
    mkdirSync(join(dir.path, 'copy'))
    const bytes = await layerBytes({
      upper: join(dir.path, 'tree'),
      form: 'plain',
      sourceDateEpoch: 1_000_000,
    })
    await apply(bytes, join(dir.path, 'copy'), join(dir.path, 'layer'))
    expect(statSync(join(dir.path, 'copy/new')).mtimeMs).toBe(1_000_000)
    expect(statSync(join(dir.path, 'copy/old')).mtimeMs).toBe(7_000)
  })

  test('refuse a name that a layer gives another meaning', async () => {
    await using dir = await tempDir()
    writeFileSync(join(dir.path, '.wh.x'), '')
    await expect(layerBytes({ upper: dir.path, form: 'plain' })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test("of an overlay's upper directory say what was done through the overlay", async () => {
    await using dir = await tempDir()
    const at = (name: string) => join(dir.path, name)
    for (const name of ['disk', 'copy']) mkdirSync(at(name))
    await runOrThrow('mount', ['-t', 'tmpfs', 'tmpfs', at('disk')])
    try {
      for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(at(`disk/${name}`))
      await runOrThrow(
        'sh',
        [
          '-ec',
          'mkdir -p d/sub e f; echo 1 > d/one; echo 2 > d/sub/two; echo 3 > e/three; ln e/three e/four; echo 5 > f/five',
        ],
        {
          cwd: at('disk/lower'),
        },
      )
      const options = `lowerdir=${at('disk/lower')},upperdir=${at('disk/upper')},workdir=${at('disk/work')}`
      await runOrThrow('mount', ['-t', 'overlay', 'overlay', '-o', options, at('disk/merged')])
      try {
        const change =
          'rm -r d; mkdir d; echo new > d/new; rm e/three; chmod 600 e/four; rm -r f; echo file > f; touch -d 2001-01-01 .'
        await runOrThrow('sh', ['-ec', change], { cwd: at('disk/merged') })
        await apply(await layerBytes({ upper: at('disk/lower'), form: 'plain' }), at('copy'), at('layer'))
        await apply(
          await layerBytes({ lower: at('disk/lower'), upper: at('disk/upper'), form: 'overlay' }),
          at('copy'),
          at('layer'),
        )
        const merged = await readTree(at('disk/merged'))
        expect(compareTrees(await readTree(at('copy')), merged)).toEqual([])
      } finally {
        await runOrThrow('umount', [at('disk/merged')])
      }
    } finally {
      await runOrThrow('umount', [at('disk')])
    }
  })

  test('are unpacked by umoci to the same tree', async () => {
    await using dir = await tempDir()
    const [things] = fc.sample(fc.array(thing, { minLength: 30, maxLength: 30 }), {
      numRuns: 1,
      seed: 5,
    }) as [Thing[]]
    const at = (name: string) => join(dir.path, name)
    build(at('tree'), things)
    await writeFile(at('layer.tar'), await layerBytes({ upper: at('tree'), form: 'plain' }))
    await runOrThrow('umoci', ['init', '--layout', at('layout')])
    await runOrThrow('umoci', ['new', '--image', `${at('layout')}:t`])
    await runOrThrow('umoci', ['raw', 'add-layer', '--image', `${at('layout')}:t`, at('layer.tar')])
    await runOrThrow('umoci', ['raw', 'unpack', '--image', `${at('layout')}:t`, at('theirs')])
    expect(compareTrees(await readTree(at('theirs')), await readTree(at('tree')))).toEqual([])
    rmSync(at('theirs'), { recursive: true })
  })
})
