import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { mount, overlayMount } from '@nsbox/mount'
import { fileCalls } from '@nsbox/sys/files'
import { compareTrees, readTree, scratchMount, type TempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { applyBytes, layerBytes } from '../testing/layer-bytes.ts'
import { collectChanges } from './collect-changes.ts'
import { OpenTree } from './open-in-tree.ts'
import { isMergedOnly } from './tree-error.ts'
import { writeLayer } from './write-layer.ts'

const empty = Buffer.alloc(1024)

describeWith({ linux: true, root: true, programs: ['python3'] }, 'layers of trees', () => {
  let dir: TempDir
  const at = (name: string) => join(dir.path, name)
  beforeEach(async () => {
    dir = await scratchMount()
    for (const name of ['lower', 'upper', 'work', 'merged', 'copy']) mkdirSync(at(name))
  })
  afterEach(() => dir[Symbol.asyncDispose]())

  const overlay = (options: readonly string[] = ['index=off']) =>
    mount(overlayMount({ lower: [at('lower')], upper: at('upper'), work: at('work') }, options), at('merged'))

  /** Makes a layer of `upper`, and runs a function once its first bytes have been written. */
  async function interrupted(meanwhile: () => void): Promise<void> {
    const layer = writeLayer({ upper: at('upper'), form: 'plain' })
    await layer.next()
    meanwhile()
    for await (const _ of layer);
  }

  test('hold no time later than they are told', async () => {
    for (const name of ['new', 'old']) writeFileSync(at(`upper/${name}`), '')
    utimesSync(at('upper/old'), 7, 7)
    await applyBytes(
      await layerBytes({ upper: at('upper'), form: 'plain', sourceDateEpoch: 1_000_500 }),
      at('copy'),
    )
    expect(statSync(at('copy/new')).mtimeMs).toBe(1_000_500)
    expect(statSync(at('copy/old')).mtimeMs).toBe(7_000)
  })

  test('E15 files with huge holes make no layer, of which nothing is written', async () => {
    writeFileSync(at('upper/real'), 'bytes')
    truncateSync(at('upper/real'), 8 * 1024 ** 4)
    const layer = writeLayer({ upper: at('upper'), form: 'plain' })
    await expect(layer.next()).rejects.toMatchObject({ code: 'resource_exhausted' })

    const limits = { size: 1024 ** 3, freeSize: 1024 ** 2, ratio: 200 }
    const first = async () =>
      await writeLayer({ upper: at('upper'), form: 'plain' }, { limits })
        .next()
        .then(
          () => 'made',
          (error) => error.code,
        )
    truncateSync(at('upper/real'), 1024 ** 2)
    expect(await first()).toBe('made')
    truncateSync(at('upper/real'), 1024 ** 2 + 1)
    expect(await first()).toBe('resource_exhausted')
    writeFileSync(at('upper/other'), Buffer.alloc(1024 ** 2, 1))
    // Names of one file count once.
    for (const name of ['a', 'b']) linkSync(at('upper/other'), at(`upper/${name}`))
    expect(await first()).toBe('made')
  })

  test.each([['.wh.x'], ['.wh..wh..opq'], ['.wh.']])('refuse the name %s', async (name) => {
    writeFileSync(at(`upper/${name}`), '')
    await expect(layerBytes({ upper: at('upper'), form: 'plain' })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test('refuse a tree that is too deep', async () => {
    const script = ['import os', "for _ in range(600): os.mkdir('d'); os.chdir('d')"].join('\n')
    execFileSync('/usr/bin/python3', ['-c', script], { cwd: at('upper') })
    await expect(layerBytes({ upper: at('upper'), form: 'plain' })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test('refuse a tree with something mounted in it', async () => {
    mkdirSync(at('upper/mounted'))
    await mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, at('upper/mounted'))
    await expect(layerBytes({ upper: at('upper'), form: 'plain' })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test('A11 refuse a device 0:0 in a tree, and leave out attributes of overlayfs', async () => {
    mkdirSync(at('upper/d'))
    for (const name of ['trusted.overlay.opaque', 'user.overlay.opaque', 'trusted.overlay.redirect'])
      expect(fileCalls.lsetxattr(at('upper/d'), name, Buffer.from('y'))).toBe(0)
    const bytes = await layerBytes({ upper: at('upper'), form: 'plain' })
    expect(bytes.includes('overlay')).toBe(false)
    expect(fileCalls.mknodat(-100, at('upper/d/x'), 0o020600, 0, 0)).toBe(0)
    await expect(layerBytes({ upper: at('upper'), form: 'plain' })).rejects.toMatchObject({
      code: 'failed_precondition',
    })
  })

  test.each([
    ['redirect', '/elsewhere'],
    ['metacopy', ''],
    ['whiteout', 'y'],
    ['something-of-a-later-kernel', 'y'],
    ['opaque', 'x'],
  ])('A11 do not guess what the attribute %s of an upper directory means', async (name, value) => {
    mkdirSync(at('upper/d'))
    expect(fileCalls.lsetxattr(at('upper/d'), `trusted.overlay.${name}`, Buffer.from(value))).toBe(0)
    const made = layerBytes({ lower: at('lower'), upper: at('upper'), form: 'overlay' })
    expect(isMergedOnly(await made.catch((error: unknown) => error))).toBe(true)
  })

  test('know that an upper directory with redirected or content-free files is not all', async () => {
    mkdirSync(at('lower/d'))
    writeFileSync(at('lower/d/file'), 'content')
    await overlay(['index=off', 'redirect_dir=on', 'metacopy=on'])
    renameSync(at('merged/d'), at('merged/renamed'))
    execFileSync('chmod', ['600', at('merged/renamed/file')])
    const made = layerBytes({ lower: at('lower'), upper: at('upper'), form: 'overlay' })
    expect(isMergedOnly(await made.catch((error: unknown) => error))).toBe(true)
    await applyBytes(await layerBytes({ upper: at('lower'), form: 'plain' }), at('copy'))
    await applyBytes(await layerBytes({ lower: at('lower'), upper: at('merged'), form: 'plain' }), at('copy'))
    expect(compareTrees(await readTree(at('copy')), await readTree(at('merged')))).toEqual([])
  })

  test('say by one word that nothing is left of a directory, but not of the root', async () => {
    mkdirSync(at('lower/d'))
    for (const name of ['d/one', 'd/two', 'three', 'four']) writeFileSync(at(`lower/${name}`), name)
    await overlay()
    rmSync(at('merged/d'), { recursive: true })
    for (const name of ['three', 'four']) rmSync(at(`merged/${name}`))
    mkdirSync(at('merged/d'))
    const whole = await layerBytes({ lower: at('lower'), upper: at('merged'), form: 'plain' })
    expect(await layerBytes({ lower: at('lower'), upper: at('upper'), form: 'overlay' })).toEqual(whole)
    const names = ['.wh.four', '.wh.three', './', 'd/', 'd/.wh..wh..opq']
    expect(namesIn(whole).sort()).toEqual(names.sort())
  })

  test('of an upper directory do not list what was made and removed again, or only copied', async () => {
    writeFileSync(at('lower/file'), 'content')
    mkdirSync(at('lower/directory'))
    execFileSync('touch', ['-r', at('lower'), at('upper')])
    await overlay()
    writeFileSync(at('merged/brief'), '')
    rmSync(at('merged/brief'))
    const { mode } = lstatSync(at('merged/file'))
    for (const name of ['file', 'directory'])
      execFileSync('chmod', ['--reference', at(`merged/${name}`), at(`merged/${name}`)])
    execFileSync('touch', ['-r', at('lower'), at('merged')])
    expect(lstatSync(at('upper/file')).mode).toBe(mode)
    expect(await layerBytes({ lower: at('lower'), upper: at('upper'), form: 'overlay' })).toEqual(empty)
  })

  test('remove what a socket stands in place of', async () => {
    writeFileSync(at('lower/x'), 'file')
    await overlay()
    rmSync(at('merged/x'))
    const server = createServer().listen(at('merged/socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    renameSync(at('merged/socket'), at('merged/x'))
    await new Promise((resolve) => server.close(resolve))
    const whole = await layerBytes({ lower: at('lower'), upper: at('merged'), form: 'plain' })
    expect(namesIn(whole)).toEqual(['./', '.wh.x'])
    expect(await layerBytes({ lower: at('lower'), upper: at('upper'), form: 'overlay' })).toEqual(whole)
  })

  test('A19 are refused when a file becomes a link while they are made', async () => {
    writeFileSync(at('upper/file'), 'public')
    writeFileSync(at('secret'), 'secret')
    const swapped = interrupted(() => {
      rmSync(at('upper/file'))
      symlinkSync('../secret', at('upper/file'))
    })
    await expect(swapped).rejects.toMatchObject({ code: 'aborted' })
  })

  test('A19 are refused when a directory becomes a link while they are made', async () => {
    mkdirSync(at('upper/directory'))
    mkdirSync(at('elsewhere'))
    for (const name of ['upper/directory', 'elsewhere']) writeFileSync(at(`${name}/file`), 'x')
    const swapped = interrupted(() => {
      renameSync(at('upper/directory'), at('away'))
      symlinkSync('../elsewhere', at('upper/directory'))
    })
    await expect(swapped).rejects.toMatchObject({ code: 'aborted' })
  })

  test.each([
    ['another file of the same size', () => [rmSync, writeFileSync] as const],
    ['a FIFO', () => [rmSync, (path: string) => fileCalls.mknodat(-100, path, 0o010600, 0, 0)] as const],
  ])('A19 are refused when a file becomes %s', async (_, how) => {
    writeFileSync(at('upper/file'), 'public')
    const swapped = interrupted(() => {
      const [remove, make] = how()
      remove(at('upper/file'))
      make(at('upper/file'), 'secret')
    })
    await expect(swapped).rejects.toMatchObject({ code: 'aborted' })
  })

  test('are refused when a file grows or is written to while they are made', async () => {
    writeFileSync(at('upper/file'), 'content')
    await expect(interrupted(() => appendFileSync(at('upper/file'), 'more'))).rejects.toMatchObject({
      code: 'aborted',
    })
    await expect(
      interrupted(() => writeFileSync(at('upper/file'), 'CONTENT', { flag: 'r+' })),
    ).rejects.toMatchObject({ code: 'aborted' })
    await expect(interrupted(() => linkSync(at('upper/file'), at('linked')))).rejects.toMatchObject({
      code: 'aborted',
    })
  })

  test('close all that they opened, also when they are given up', async () => {
    const open = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(dir.path)
        } catch {
          // The descriptor of the listing itself.
          return false
        }
      })
    writeFileSync(at('upper/file'), Buffer.alloc(1_000_000))
    for await (const _ of writeLayer({ upper: at('upper'), lower: at('lower'), form: 'plain' })) break
    const layer = writeLayer({ upper: at('upper'), form: 'plain' })
    for (let count = 0; count < 4; count += 1) await layer.next()
    await layer.return(undefined)
    await expect(interrupted(() => rmSync(at('upper/file')))).rejects.toMatchObject({ code: 'aborted' })
    expect(open()).toEqual([])
  })

  test('E04 are refused where their names would be too much to have in memory', async () => {
    for (let index = 0; index < 40; index += 1) writeFileSync(at(`upper/${`${index}`.padEnd(200, 'n')}`), '')
    using upper = new OpenTree(at('upper'))
    await expect(collectChanges({ upper, kept: 8000 })).rejects.toMatchObject({ code: 'resource_exhausted' })
    expect(await collectChanges({ upper, kept: 16_000 })).toHaveLength(41)
    for (let index = 1; index < 40; index += 1)
      linkSync(at(`upper/${'0'.padEnd(200, 'n')}`), at(`upper/${`${index}`.padEnd(200, 'l')}`))
    await expect(collectChanges({ upper, kept: 16_000 })).rejects.toMatchObject({
      code: 'resource_exhausted',
    })
  })

  test('stop at an abort, during the search too', async () => {
    for (let index = 0; index < 1200; index += 1) writeFileSync(at(`upper/${index}`), '')
    const abort = new AbortController()
    const layer = writeLayer({ upper: at('upper'), form: 'plain' }, { signal: abort.signal })
    const first = layer.next()
    abort.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
  })

  test('of no directory are refused', async () => {
    writeFileSync(at('file'), '')
    for (const [name, code] of [
      ['file', 'failed_precondition'],
      ['missing', 'not_found'],
    ] as const)
      await expect(layerBytes({ upper: at(name), form: 'plain' })).rejects.toMatchObject({ code })
  })
})

/** The names in an archive whose headers are all plain, extended ones left out. */
function namesIn(archive: Buffer): string[] {
  const names: string[] = []
  for (let block = 0; block + 512 <= archive.length; block += 512) {
    const isHeader = archive.toString('latin1', block + 257, block + 262) === 'ustar'
    if (isHeader && archive[block + 156] !== 'x'.charCodeAt(0))
      names.push(archive.toString('latin1', block, block + 100).replace(/\0.*/s, ''))
  }
  return names
}
