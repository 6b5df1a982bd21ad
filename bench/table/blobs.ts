import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { runOrThrow } from '@nsbox/testing'
import { warmMemory } from '../quiet-machine.ts'
import { stockCtr } from '../subjects.ts'
import { type BenchDaemon, benchDaemon } from './bench-daemon.ts'
import type { ImageName } from './corpus.ts'
import type { BenchContext, Measured, RowGroup } from './row.ts'
import { timed } from './timed.ts'

/** What stock `ctr` does with blobs, and what it unpacks of those that are there. */
export const blobs: RowGroup = {
  rows: [
    { id: 'fetch-eight', what: 'fetch of eight layers without unpacking', unit: 'ms', goal: { ratio: 1 } },
    { id: 'fetch-one', what: 'fetch of one layer without unpacking', unit: 'ms', goal: { ratio: 1 } },
    { id: 'fetch-big', what: 'fetch of 500 MB in one layer', unit: 'ms', goal: { ratio: 1 } },
    { id: 'unpack-forty', what: 'unpacking forty layers', unit: 'ms', goal: { ratio: 0.9 } },
    { id: 'unpack-big', what: 'unpacking one layer of 500 MB that does not compress', unit: 'ms' },
    { id: 'export-eight', what: '`images export` of eight layers', unit: 'ms', goal: { ratio: 1 } },
    { id: 'ingest', what: '`content ingest` of 500 MB', unit: 'ms', goal: { ratio: 1 } },
    { id: 'get', what: '`content get` of 500 MB', unit: 'ms', goal: { ratio: 1 } },
  ],
  async measure(subject, context) {
    const { wanted } = context
    const measured: Record<string, readonly number[]> = {}
    if (wanted('fetch-eight', 'export-eight')) {
      await using daemon = await benchDaemon(subject, context)
      Object.assign(measured, await eightLayers(daemon, context))
    }
    if (wanted('fetch-one', 'fetch-big', 'unpack-forty', 'unpack-big', 'ingest', 'get')) {
      await using daemon = await benchDaemon(subject, context)
      Object.assign(measured, await otherLayers(daemon, context))
    }
    return measured
  },
}

async function eightLayers(daemon: BenchDaemon, context: BenchContext): Promise<Measured> {
  const measured: Record<string, number[]> = {
    'fetch-eight': [await fetchImage(daemon, context, 'multi', 'fetch-eight')],
  }
  if (context.wanted('export-eight')) {
    const args = ['images', 'export', join(daemon.directory, 'export.tar'), context.corpus.reference('multi')]
    measured['export-eight'] = [await settledTime(context, 'export-eight', () => daemon.ctr(args))]
  }
  return measured
}

/** On one file system, since none of it removes anything. */
async function otherLayers(daemon: BenchDaemon, context: BenchContext): Promise<Measured> {
  const { corpus, wanted } = context
  const measured: Record<string, number[]> = {}
  if (wanted('fetch-one')) measured['fetch-one'] = [await fetchImage(daemon, context, 'debian', 'fetch-one')]
  const unpack = async (image: ImageName, row: string) => {
    const { digest } = await corpus.manifest(image)
    return settledTime(context, row, () => daemon.ctr(['snapshots', 'unpack', digest]))
  }
  if (wanted('unpack-forty')) {
    await fetchImage(daemon, context, 'many', 'fetch-forty')
    measured['unpack-forty'] = [await unpack('many', 'unpack-forty')]
  }
  if (wanted('fetch-big', 'unpack-big'))
    measured['fetch-big'] = [await fetchImage(daemon, context, 'big', 'fetch-big')]
  if (wanted('unpack-big')) measured['unpack-big'] = [await unpack('big', 'unpack-big')]
  if (wanted('ingest', 'get')) {
    const digest = await digestOf(corpus.bigFile)
    const { size } = await stat(corpus.bigFile)
    const flags = ['--expected-size', `${size}`, '--expected-digest', digest]
    measured.ingest = [
      await settledTime(context, 'ingest', () =>
        piped(daemon, ['content', 'ingest', ...flags, 'bench'], `<${corpus.bigFile}`),
      ),
    ]
    measured.get = [
      await settledTime(context, 'get', () => piped(daemon, ['content', 'get', digest], '>/dev/null')),
    ]
  }
  return measured
}

function fetchImage(
  daemon: BenchDaemon,
  context: BenchContext,
  image: ImageName,
  row: string,
): Promise<number> {
  const reference = context.corpus.reference(image)
  return settledTime(context, row, () => daemon.ctr(['content', 'fetch', '--plain-http', reference]))
}

/** The time of something once nothing of what came before is left to be written, and memory can be had. */
async function settledTime(
  { scale }: BenchContext,
  row: string,
  body: () => Promise<unknown>,
): Promise<number> {
  await runOrThrow('sync', [])
  await warmMemory(scale.memory)
  return await timed(row, body)
}

/** Runs stock `ctr` with a file as its input or output. */
async function piped({ address }: BenchDaemon, args: readonly string[], redirection: string): Promise<void> {
  const ctr = [stockCtr, '--address', address, '--namespace', 'bench', ...args]
  await runOrThrow('sh', ['-c', `exec "$@" ${redirection}`, 'sh', ...ctr], { timeout: 300_000 })
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return `sha256:${hash.digest('hex')}`
}
