import { setTimeout as sleep } from 'node:timers/promises'
import { runOrThrow } from '@nsbox/testing'
import { ContainerLoad } from '../container-load.ts'
import { benchDaemon } from './bench-daemon.ts'
import type { RowGroup } from './row.ts'
import { during, timed } from './timed.ts'

/** The life of a daemon: it starts, idles, runs its first containers, more of them, and many. */
export const lives: RowGroup = {
  rows: [
    { id: 'idle-memory', what: 'PSS idle, five seconds after a start', unit: 'MB', goal: { ratio: 2 } },
    { id: 'start', what: 'start to the first answer', unit: 'ms', goal: { ratio: 3, most: 200 } },
    {
      id: 'first-container',
      what: 'first container after a start, by RPC',
      unit: 'ms',
      goal: { ratio: 1.5 },
    },
    {
      id: 'run-cold',
      what: '`run --rm` by stock `ctr`, the first of a daemon',
      unit: 'ms',
      goal: { ratio: 0.7 },
    },
    { id: 'run-warm', what: '`run --rm` by stock `ctr`, warm', unit: 'ms', goal: { ratio: 0.65 } },
    {
      id: 'many-memory',
      what: 'PSS with fifty idle containers, helpers included',
      unit: 'MB',
      goal: { ratio: 0.45 },
    },
  ],
  async measure(subject, context) {
    const { corpus, calls, scale, wanted } = context
    await using daemon = await benchDaemon(subject, context)
    const { client, group } = daemon
    const measured: Record<string, number[]> = {}
    const megabytes = async () => (await group.memory()).pss / 1000
    if (wanted('idle-memory')) {
      await sleep(5000)
      measured['idle-memory'] = [await megabytes()]
    }
    const image = corpus.reference('busybox')
    await daemon.ctr(['images', 'pull', '--plain-http', image])
    const load = await ContainerLoad.create(client, image)
    if (wanted('start')) {
      await daemon.stop()
      measured.start = []
      for (let index = 0; index < scale.starts; index++) {
        const { command, args, env } = daemon.command
        const flags = ['start', '-address', daemon.address, '--', command, ...args]
        const started = group.inside({ command: calls, args: flags })
        await during('start', async () => {
          const { stdout } = await runOrThrow(started.command, started.args, env && { env })
          measured.start!.push((JSON.parse(stdout) as { milliseconds: number }).milliseconds)
        })
      }
      await daemon.start()
    }
    if (wanted('first-container')) {
      measured['first-container'] = []
      for (let index = 0; index < scale.starts; index++) {
        await daemon.stop()
        await daemon.start()
        // The connection is no part of it.
        await client.version()
        await during('first-container', async () => {
          measured['first-container']!.push(...(await load.sequential(1, (id) => load.cycle(id))))
        })
      }
    }
    const run = (row: string, id: string) => timed(row, () => daemon.ctr(['run', '--rm', image, id, 'true']))
    const runs = async (name: string) => {
      const values: number[] = []
      for (let index = 0; index < scale.runs; index++) values.push(await run(name, `${name}-${index}`))
      return values
    }
    if (wanted('run-cold')) {
      await daemon.stop()
      await daemon.start()
      measured['run-cold'] = await runs('run-cold')
    }
    if (wanted('run-warm')) {
      await load.concurrent(4 * scale.runs, 4, (id) => load.cycle(id))
      measured['run-warm'] = await runs('run-warm')
    }
    if (wanted('many-memory')) {
      await load.concurrent(scale.idleContainers, 4, (id) => load.idle(id))
      await sleep(2000)
      measured['many-memory'] = [await megabytes()]
      await load.end()
    }
    return measured
  },
}
