import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  compareTrees,
  type RawHeader,
  rawEntry,
  rawTar,
  readTree,
  type TempDir,
  tempDir,
} from '@nsbox/testing'
import { afterEach, beforeEach, expect } from 'vitest'
import { type AppliedTree, type ApplyJob, applyLayer } from '../apply/apply-layer.ts'

/**
 * A directory to extract hostile layers in, next to targets that they may try to reach: `outside/secret`, and
 * `root-evil`, whose name begins with the root's.
 */
export interface LayerSandbox extends AsyncDisposable {
  readonly root: string
  /** The absolute path of the directory that contains `outside`. */
  readonly path: string
  /** Applies a layer of these entries; `job` changes the defaults of the job. */
  apply(entries: readonly (RawHeader | Uint8Array)[], job?: Partial<ApplyJob>): Promise<AppliedTree>
  /** Applies these bytes as a layer. */
  applyBytes(bytes: Uint8Array, job?: Partial<ApplyJob>): Promise<AppliedTree>
  /** Empties the root. */
  clear(): Promise<void>
  /** Changes around the root since it was made; there must be none. */
  damage(): Promise<string[]>
}

export async function layerSandbox(): Promise<LayerSandbox> {
  const dir: TempDir = await tempDir('nsbox-hostile')
  const root = join(dir.path, 'root')
  await mkdir(join(dir.path, 'outside/directory'), { recursive: true })
  await mkdir(join(dir.path, 'root-evil'))
  await mkdir(root)
  await writeFile(join(dir.path, 'outside/secret'), 'secret', { mode: 0o600 })
  await writeFile(join(dir.path, 'root-evil/secret'), 'secret', { mode: 0o600 })
  const layer = join(dir.path, 'layer')
  await writeFile(layer, '')
  // The layer's file and the directory above are the sandbox's own; the rest must stay unchanged.
  const around = async () =>
    new Map([...(await readTree(dir.path, { except: ['root', 'layer'] }))].filter(([name]) => name !== '.'))
  const before = await around()
  const sandbox: LayerSandbox = {
    root,
    path: dir.path,
    apply: (entries, job) =>
      sandbox.applyBytes(
        rawTar(...entries.map((each) => (each instanceof Uint8Array ? each : rawEntry(each)))),
        job,
      ),
    async applyBytes(bytes, job = {}) {
      await writeFile(layer, bytes)
      return applyLayer({
        layer: { path: layer, size: bytes.length },
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        root,
        form: 'plain',
        ...job,
      })
    },
    async clear() {
      await rm(root, { recursive: true })
      await mkdir(root)
    },
    damage: async () => compareTrees(before, await around()),
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  }
  return sandbox
}

/** Gives each test of a block a sandbox of its own, and checks that nothing around it changes. */
export function useLayerSandbox(): () => LayerSandbox {
  let sandbox: LayerSandbox
  beforeEach(async () => {
    sandbox = await layerSandbox()
  })
  afterEach(async () => {
    expect(await sandbox.damage()).toEqual([])
    await sandbox[Symbol.asyncDispose]()
  })
  return () => sandbox
}
