import { lstatSync, readdirSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { compareTrees, readTree } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { attemptAsync, fuzz, mutatedBytes, shown } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, beforeAll, expect } from 'vitest'
import { layerBytes } from '../testing/layer-bytes.ts'
import { type LayerSandbox, layerSandbox } from '../testing/layer-sandbox.ts'
import { tarDictionary, tarSeeds, withChecksums } from '../testing/tar-seeds.ts'

const seeds = await tarSeeds()
const layer = fc
  .tuple(mutatedBytes(seeds, { dictionary: tarDictionary, most: 4 }), fc.integer({ min: 0, max: 3 }))
  .map(([bytes, kind]) =>
    shown(Buffer.concat([kind === 0 ? bytes : withChecksums(bytes), Buffer.alloc(1024)])),
  )
const limits = { size: 1 << 20 }

/** The time of each file's last change of status, which nobody can set. */
function changes(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    const { ino, ctimeNs, nlink } = lstatSync(path, { bigint: true })
    const inside = entry.isDirectory() ? changes(path) : []
    return [`${path} ${ino} ${ctimeNs} ${nlink}`, ...inside]
  })
}

describeWith({ linux: true, root: true, programs: ['python3'] }, 'a layer', () => {
  let sandbox: LayerSandbox
  let first: string
  const around = () => [
    ...changes(join(sandbox.path, 'outside')),
    ...changes(join(sandbox.path, 'root-evil')),
  ]
  const names = () => readdirSync(sandbox.path).sort()
  beforeAll(async () => {
    sandbox = await layerSandbox()
    first = join(sandbox.path, 'outside-of-all')
  })
  afterAll(() => sandbox[Symbol.asyncDispose]())

  let runs = 0
  fuzz(
    'A01 touches nothing outside its directory, and what it made is the same once it is written and applied again',
    layer,
    async (bytes) => {
      const [before, there] = [around(), names()]
      const { outcome } = await attemptAsync(() => sandbox.applyBytes(bytes, { limits }))
      expect([around(), names()]).toEqual([before, there])
      if (outcome === 'accepted') {
        const written = await layerBytes({ upper: sandbox.root, form: 'plain' })
        await rename(sandbox.root, first)
        await mkdir(sandbox.root)
        await sandbox.applyBytes(written)
        expect((await layerBytes({ upper: sandbox.root, form: 'plain' })).equals(written)).toBe(true)
        // Checked by another program as well, which takes longer.
        if (runs++ % 500 === 0)
          expect(compareTrees(await readTree(first), await readTree(sandbox.root))).toEqual([])
        await rm(first, { recursive: true })
      }
      await sandbox.clear()
      return outcome
    },
    { runs: 100 },
  )
})
