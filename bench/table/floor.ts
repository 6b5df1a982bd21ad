import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type RunOptions, runOrThrow, tempDir } from '@nsbox/testing'
import { freshDisk } from '../fresh-disk.ts'
import { warmMemory } from '../quiet-machine.ts'
import type { BenchContext, Measured, Row } from './row.ts'
import { timed } from './timed.ts'

/** What the machine takes for the parts of a pull of eight layers and of a container, without any daemon. */
export const floorRows: readonly Row[] = [
  { id: 'floor-download', what: 'download of eight layers, one after the other, by `curl`', unit: 'ms' },
  { id: 'floor-sha256', what: 'SHA-256 of their compressed bytes, by `sha256sum`', unit: 'ms' },
  { id: 'floor-gunzip', what: 'decompression, by `gzip`', unit: 'ms' },
  { id: 'floor-untar', what: 'decompression and unpacking, by `tar`', unit: 'ms' },
  { id: 'floor-runc', what: '`runc run` of a container that ends at once', unit: 'ms' },
]

const long: RunOptions = { timeout: 300_000 }

export async function floor({ corpus, disks, scale, wanted }: BenchContext): Promise<Measured> {
  if (!wanted(...floorRows.map(({ id }) => id))) return {}
  const layers = await corpus.layers('multi')
  const measured: Record<string, number[]> = {}
  await using disk = await freshDisk(disks)
  const add = async (id: string, body: () => Promise<unknown>) => {
    if (!wanted(id)) return
    await runOrThrow('sync', [])
    await warmMemory(scale.memory)
    measured[id] = [await timed(id, body)]
  }
  await add('floor-download', async () => {
    const [host] = corpus.reference('multi').split('/')
    for (const { digest } of (await corpus.manifest('multi')).layers) {
      const url = `http://${host}/v2/bench/multi/blobs/${digest}`
      await runOrThrow('curl', ['-sf', url, '-o', join(disk.path, digest)], long)
    }
  })
  await add('floor-sha256', () => runOrThrow('sha256sum', layers, long))
  await add('floor-gunzip', () =>
    runOrThrow('sh', ['-c', 'cat "$@" | gzip -dc >/dev/null', 'sh', ...layers], long),
  )
  await add('floor-untar', async () => {
    const tree = await mkdtemp(join(disk.path, 'tree-'))
    for (const layer of layers) await runOrThrow('tar', ['-xzf', layer, '-C', tree, '--xattrs'], long)
    await runOrThrow('sync', [])
  })
  if (wanted('floor-runc'))
    measured['floor-runc'] = await bareContainers(await corpus.layers('busybox'), scale.runs)
  return measured
}

async function bareContainers([layer]: readonly string[], count: number): Promise<number[]> {
  await using directory = await tempDir('nsbox-bench-runc')
  const bundle = directory.path
  await mkdir(join(bundle, 'rootfs'))
  await runOrThrow('tar', ['-xzf', layer!, '-C', join(bundle, 'rootfs')])
  const { stdout } = await runOrThrow('sh', ['-c', 'cd "$1" && runc spec && cat config.json', 'sh', bundle])
  const spec = JSON.parse(stdout) as { process: { args: string[]; terminal: boolean } }
  const process = { ...spec.process, args: ['/bin/true'], terminal: false }
  await writeFile(join(bundle, 'config.json'), JSON.stringify({ ...spec, process }))
  const values: number[] = []
  for (let index = 0; index < count; index++) {
    const args = [
      '--root',
      join(bundle, 'state'),
      'run',
      '--bundle',
      bundle,
      `nsbox-bench-${index}-${globalThis.process.pid}`,
    ]
    values.push(await timed('floor-runc', () => runOrThrow('runc', args)))
  }
  await rm(join(bundle, 'state'), { recursive: true, force: true })
  return values
}
