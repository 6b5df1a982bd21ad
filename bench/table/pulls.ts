import { setTimeout as sleep } from 'node:timers/promises'
import { runOrThrow } from '@nsbox/testing'
import { hasStockClient } from '../subjects.ts'
import { type BenchDaemon, benchDaemon } from './bench-daemon.ts'
import type { RowGroup } from './row.ts'
import { timed } from './timed.ts'

const images = { eight: 'multi', forty: 'many' } as const

/** Whole pulls, each by a daemon with an empty root. */
export const pulls: RowGroup = {
  rows: [
    { id: 'pull-eight', what: 'pull of eight layers by stock `ctr`', unit: 'ms', goal: { ratio: 0.42 } },
    { id: 'pull-eight-dist', what: 'pull of eight layers by `dist`', unit: 'ms', goal: { ratio: 0.33 } },
    { id: 'pull-forty', what: 'pull of forty layers by stock `ctr`', unit: 'ms', goal: { ratio: 0.6 } },
    { id: 'pull-forty-dist', what: 'pull of forty layers by `dist`', unit: 'ms', goal: { ratio: 0.6 } },
    {
      id: 'pulled-memory',
      what: 'PSS five seconds after the pull of eight layers',
      unit: 'MB',
      goal: { ratio: 2.2 },
    },
    { id: 'remove', what: '`images rm --sync` of the last name of eight layers', unit: 'ms' },
  ],
  async measure(subject, context) {
    const { corpus, wanted } = context
    const measured: Record<string, number[]> = {}
    const stock = hasStockClient(subject)
    for (const [name, image] of Object.entries(images)) {
      const reference = corpus.reference(image)
      const after = name === 'eight' ? ['pulled-memory', 'remove'] : []
      if (wanted(`pull-${name}`, ...after) || (stock && wanted(`pull-${name}-dist`))) {
        await using daemon = await benchDaemon(subject, context)
        const rows = [`pull-${name}`, ...(stock ? [`pull-${name}-dist`] : [])]
        const pull = await timed(rows, () => daemon.ctr(['images', 'pull', '--plain-http', reference]))
        measured[`pull-${name}`] = [pull]
        // The other client is compared with the only one that containerd has.
        if (stock) measured[`pull-${name}-dist`] = [pull]
        if (after.length > 0 && wanted(...after)) Object.assign(measured, await afterPull(daemon, reference))
      }
      if (!stock && wanted(`pull-${name}-dist`)) {
        await using daemon = await benchDaemon(subject, context)
        const { command, args } = subject.pull(daemon.address, reference)
        const row = `pull-${name}-dist`
        measured[row] = [await timed(row, () => runOrThrow(command, args, { timeout: 300_000 }))]
      }
    }
    return measured
  },
}

async function afterPull({ group, ctr }: BenchDaemon, reference: string) {
  await sleep(5000)
  const { pss } = await group.memory()
  await runOrThrow('sync', [])
  const remove = await timed('remove', () => ctr(['images', 'rm', '--sync', reference]))
  return { 'pulled-memory': [pss / 1000], remove: [remove] }
}
