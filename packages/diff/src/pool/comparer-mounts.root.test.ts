import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { gunzipSync } from 'node:zlib'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import type { DiffMount } from '@nsbox/core/diff'
import { listMounts, mount, overlayMount } from '@nsbox/mount'
import { compareTrees, readTree, scratchMount, type TempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { applyBytes, layerBytes } from '../testing/layer-bytes.ts'
import { LayerWorkers } from './layer-workers.ts'
import { localComparer } from './local-comparer.ts'

const bind = (source: string): DiffMount => ({ type: 'bind', source, options: ['rbind', 'rw'] })

describeWith({ linux: true, root: true, programs: ['python3'] }, 'the local comparer', () => {
  const workers = new LayerWorkers({ threads: 1 })
  afterAll(() => workers[Symbol.asyncDispose]())
  let dir: TempDir
  let content: LocalContentStore
  const at = (name: string) => join(dir.path, name)

  beforeEach(async () => {
    dir = await scratchMount()
    content = await openContentStore({ root: at('content'), durability: 'relaxed' })
    vi.stubEnv('TMPDIR', at('tmp'))
    for (const name of ['tmp', 'base', 'middle', 'upper', 'work', 'merged', 'copy']) mkdirSync(at(name))
    mkdirSync(at('base/d'))
    for (const name of ['d/one', 'two', 'd/three']) writeFileSync(at(`base/${name}`), name)
    writeFileSync(at('middle/two'), 'two, changed')
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await content[Symbol.asyncDispose]()
    await dir[Symbol.asyncDispose]()
  })

  const lower = () => overlayMount({ lower: [at('middle'), at('base')] }, ['index=off'])
  const upper = (options: readonly string[] = ['index=off']) =>
    overlayMount({ lower: [at('middle'), at('base')], upper: at('upper'), work: at('work') }, options)

  async function archive(
    from: readonly DiffMount[],
    to: readonly DiffMount[],
    comparer = localComparer({ workers, content }),
  ): Promise<Buffer> {
    const { digest } = await comparer.compare(from, to)
    return gunzipSync(await readFile(join(at('content/blobs'), digest.replace(':', '/'))))
  }

  /** Mounts that a comparer has left; the tests' own are elsewhere. */
  const left = () => listMounts({ under: at('tmp') })

  test('gives the same layer for an overlay on other layers, whether it is mounted or not', async () => {
    await mount(upper(), at('merged'))
    rmSync(at('merged/d/one'))
    writeFileSync(at('merged/new'), 'new')
    const alone = await archive([lower()], [upper()])
    const whole = await archive([lower()], [bind(at('merged'))])
    expect(alone.equals(whole)).toBe(true)
    // A committed view of the same layers, with more than one on top of the lower tree.
    const view = overlayMount({ lower: [at('upper'), at('middle'), at('base')] }, ['index=off'])
    expect((await archive([lower()], [view])).equals(whole)).toBe(true)
    await applyBytes(await layerBytes({ upper: at('base'), form: 'plain' }), at('copy'))
    await applyBytes(await archive([bind(at('base'))], [view]), at('copy'))
    expect(compareTrees(await readTree(at('copy')), await readTree(at('merged')))).toEqual([])
    expect(await left()).toEqual([])
  })

  test('A11 mounts an overlay whose upper directory refers to its lower ones, and spoils nothing of it', async () => {
    const options = ['index=off', 'redirect_dir=on', 'metacopy=on']
    await mount(upper(options), at('merged'))
    renameSync(at('merged/d'), at('merged/renamed'))
    chmodSync(at('merged/renamed/one'), 0o600)
    const layer = await archive([lower()], [upper(options)])
    await applyBytes(await layerBytes({ upper: at('base'), form: 'plain' }), at('copy'))
    await applyBytes(await layerBytes({ upper: at('middle'), form: 'plain' }), at('copy'))
    await applyBytes(layer, at('copy'))
    const ignore = (name: string) => name === '.'
    expect(compareTrees(await readTree(at('copy')), await readTree(at('merged')), { ignore })).toEqual([])
    writeFileSync(at('merged/renamed/one'), 'still writable')
    expect(await left()).toEqual([])
  })

  test('reads an overlay of a user namespace in its own way', async () => {
    const options = ['index=off', 'userxattr']
    await mount(upper(options), at('merged'))
    rmSync(at('merged/d'), { recursive: true })
    mkdirSync(at('merged/d'))
    writeFileSync(at('merged/d/new'), 'new')
    const view = overlayMount({ lower: [at('middle'), at('base')] }, options)
    const alone = await archive([view], [upper(options)])
    expect(alone.includes('d/.wh..wh..opq')).toBe(true)
    expect(alone.equals(await archive([view], [bind(at('merged'))]))).toBe(true)
  })

  test('takes mounts of other kinds', async () => {
    const ramfs: DiffMount = { type: 'ramfs', source: 'ramfs', options: [] }
    const layer = await archive([bind(at('base'))], [ramfs])
    expect(layer.includes('.wh.two')).toBe(true)
    await expect(archive([], [{ type: 'ext4', source: at('none'), options: [] }])).rejects.toMatchObject({
      name: 'NsboxError',
    })
    expect(await left()).toEqual([])
    expect(await content.statuses()).toEqual([])
  })

  test('leaves nothing of a layer that cannot be made', async () => {
    writeFileSync(at('upper/.wh.x'), '')
    for (const mounts of [[upper()], [bind(at('upper'))], [bind(at('missing'))], []])
      await expect(archive([lower()], mounts)).rejects.toMatchObject({ name: 'NsboxError' })
    expect(await left()).toEqual([])
    expect(await content.statuses()).toEqual([])
    for await (const info of content.list()) throw new Error(`${info.digest} is there`)
  })

  test('holds the worker back while the store is slow, and stops it at an abort', async () => {
    writeFileSync(at('upper/big'), Buffer.alloc(64 * 1024 * 1024))
    const abort = new AbortController()
    let written = 0
    const slow = {
      update: content.update.bind(content),
      abort: content.abort.bind(content),
      async writer(...args: Parameters<LocalContentStore['writer']>) {
        const writer = await content.writer(...args)
        const write = writer.write.bind(writer)
        writer.write = async (bytes, options) => {
          written += bytes.length
          await new Promise((resolve) => setTimeout(resolve, 20))
          await write(bytes, options)
          if (written > 2 * 1024 * 1024) abort.abort(new Error('enough'))
        }
        return writer
      },
    }
    const comparer = localComparer({ workers, content: slow })
    const mediaType = 'application/vnd.oci.image.layer.v1.tar'
    const made = comparer.compare([lower()], [upper()], { mediaType, signal: abort.signal })
    await expect(made).rejects.toThrow('enough')
    expect(written).toBeLessThan(4 * 1024 * 1024)
    expect(await left()).toEqual([])
    expect(await content.statuses()).toEqual([])
    // The thread is free again.
    expect((await archive([lower()], [upper()])).length).toBeGreaterThan(64 * 1024 * 1024)
  })

  test('fails with the store, and the worker goes on', async () => {
    writeFileSync(at('upper/big'), Buffer.alloc(4 * 1024 * 1024))
    const broken = {
      update: content.update.bind(content),
      abort: content.abort.bind(content),
      async writer(...args: Parameters<LocalContentStore['writer']>) {
        const writer = await content.writer(...args)
        writer.write = async () => {
          throw new Error('no more space')
        }
        return writer
      },
    }
    const comparer = localComparer({ workers, content: broken })
    await expect(comparer.compare([lower()], [upper()])).rejects.toThrow('no more space')
    expect((await archive([lower()], [upper()])).length).toBeGreaterThan(4 * 1024 * 1024)
    expect(await left()).toEqual([])
  })

  test('fails when its thread dies in the middle of a layer, and leaves nothing mounted', async () => {
    const script = `
      const { parentPort } = require('node:worker_threads')
      parentPort.on('message', ({ job }) => {
        require('node:fs').openSync(job.source.lower + '/two')
        job.output.postMessage(new Uint8Array(10))
        setTimeout(() => process.exit(3), 50)
      })
      parentPort.postMessage({ say: 'ready' })`
    await using dying = new LayerWorkers(
      { threads: 1 },
      () => new Worker(script, { eval: true, trackUnmanagedFds: false }),
    )
    const comparer = localComparer({ workers: dying, content })
    await expect(comparer.compare([lower()], [upper()])).rejects.toMatchObject({ code: 'internal' })
    expect(await left()).toEqual([])
    expect(await content.statuses()).toEqual([])
  })

  test('compresses without a name or a time', async () => {
    const { digest } = await localComparer({ workers, content }).compare([], [bind(at('base'))])
    const header = readFileSync(join(at('content/blobs'), digest.replace(':', '/'))).subarray(0, 9)
    expect(header.toString('hex')).toBe('1f8b08000000000000')
  })
})
