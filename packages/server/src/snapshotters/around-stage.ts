import type { AroundStage } from '@nsbox/images'
import type { ServerCounts } from '../counts/server-counts.ts'
import type { Tracer } from '../tracing/tracer.ts'

/** Counts the stages of unpacking layers into a snapshotter that have succeeded, and makes spans of all. */
export function aroundStage(
  counts: Pick<ServerCounts, 'unpacked'>,
  tracer: Tracer,
  snapshotterName: string,
): AroundStage {
  return (stage, { layer, chainId }, work) => {
    const facts = () => ({
      'nsbox.snapshotter': snapshotterName,
      'nsbox.digest': layer.digest,
      'nsbox.chain_id': chainId,
    })
    return tracer.span(`nsbox.unpack.${stage}`, facts, async () => {
      const started = performance.now()
      const result = await work()
      counts.unpacked(stage, performance.now() - started)
      return result
    })
  }
}
