import { lstatSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DiffMount } from '@nsbox/core/diff'
import { NsboxError } from '@nsbox/errors'
import { overlayMount } from '@nsbox/mount'
import { digestOf, mediaTypes } from '@nsbox/oci'
import { needs, rawEntry, rawTar, tempDir } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { layerTarget } from '../apply/layer-target.ts'
import { LayerWorkers } from './layer-workers.ts'
import { workerApplier } from './worker-applier.ts'

const reason = needs({ linux: true, root: true })
const bytes = rawTar(rawEntry({ name: 'd/x', content: 'content' }), rawEntry({ name: '.wh.gone' }))
const layer = { mediaType: mediaTypes.ociLayer, digest: digestOf(bytes), size: bytes.length }

describe.skipIf(reason)(`the applier of workers (${reason ?? 'as root'})`, () => {
  test('writes to the upper directory of an overlay and to the source of a bind mount', async () => {
    await using dir = await tempDir()
    await using workers = new LayerWorkers({ threads: 1 })
    await writeFile(join(dir.path, 'blob'), bytes)
    const applier = workerApplier({ workers, blobPath: async () => join(dir.path, 'blob') })
    const mounts = (name: string): Record<string, DiffMount> => ({
      overlay: {
        type: 'overlay',
        source: 'overlay',
        options: ['lowerdir=/l', `upperdir=${name}`, 'workdir=/w'],
      },
      bind: { type: 'bind', source: name, options: ['rbind', 'rw'] },
    })
    for (const kind of ['overlay', 'bind']) {
      const root = join(dir.path, kind)
      await mkdir(root)
      const applied = await applier.apply(layer, [mounts(root)[kind]!], { diffId: layer.digest })
      expect(applied).toEqual({ diffId: layer.digest, size: layer.size, implied: ['', 'd'] })
      expect(readFileSync(join(root, 'd/x'), 'utf8')).toBe('content')
    }
    expect(lstatSync(join(dir.path, 'overlay/gone')).isCharacterDevice()).toBe(true)
    expect(() => lstatSync(join(dir.path, 'bind/gone'))).toThrow()
  })

  test('passes on that a blob is missing', async () => {
    await using workers = new LayerWorkers({ threads: 1 })
    const blobPath = async (digest: string) => {
      throw new NsboxError('not_found', `content ${digest}`)
    }
    const mount = { type: 'bind', source: '/nowhere', options: ['rw'] }
    await expect(workerApplier({ workers, blobPath }).apply(layer, [mount])).rejects.toMatchObject({
      code: 'not_found',
    })
  })
})

describe('the target of a layer', () => {
  test.each<[string, readonly DiffMount[], string]>([
    ['no mount', [], 'unimplemented'],
    [
      'a read-only bind mount',
      [{ type: 'bind', source: '/s', options: ['ro', 'rbind'] }],
      'failed_precondition',
    ],
    [
      'an overlay without an upper directory',
      [{ type: 'overlay', source: 'o', options: ['lowerdir=/a:/b'] }],
      'failed_precondition',
    ],
    ['a device', [{ type: 'ext4', source: '/dev/vda', options: [] }], 'unimplemented'],
  ])('%s is refused', (_, mounts, code) => {
    expect(() => layerTarget(mounts)).toThrow(expect.objectContaining({ code }))
  })

  test('an overlay with userxattr has attributes of a user', () => {
    const options = ['userxattr', 'upperdir=/u', 'lowerdir=/l']
    expect(layerTarget([{ type: 'overlay', source: 'o', options }])).toEqual({
      root: '/u',
      form: 'overlay-user',
    })
  })

  test('an overlay whose directories have odd names is written to where they are', () => {
    const { options } = overlayMount({ lower: ['/l'], upper: '/a, b:c', work: '/w' })
    expect(layerTarget([{ type: 'overlay', source: 'overlay', options }]).root).toBe('/a, b:c')
  })
})
