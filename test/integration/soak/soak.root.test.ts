import { randomBytes } from 'node:crypto'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { problems } from './report.ts'
import { soak } from './soak.ts'

const isLong = process.env.NSBOX_TEST_LONG !== undefined
const size = isLong ? { operations: 60, kills: 6, phases: 3 } : { operations: 12, kills: 3, phases: 1 }

describeWith(
  { root: true, linux: true, programs: ['criu', 'docker-registry', 'runc', 'skopeo'] },
  'a server that is used at random in several namespaces, while it and its supervisor are killed',
  () => {
    it('loses and leaves nothing but what a kill excuses', {
      timeout: isLong ? 1_800_000 : 300_000,
    }, async () => {
      const seed = isLong ? randomBytes(4).toString('hex') : 'one'
      const { operations, kills, phases } = size
      const namespaces = ['soak-test-a', 'soak-test-b']
      const more = (_: unknown, done: number) => done < phases
      const report = await soak({ seed, namespaces, operations, kills, more })
      expect(problems(report), `seed ${seed}`).toEqual([])
      expect(Object.values(report.kills).reduce((sum, count) => sum + count)).toBe(kills * phases)
      expect(report.phases.map(({ kind }) => kind)).toEqual(
        (['kills', 'steady'] as const).flatMap((kind) => Array.from({ length: phases }, () => kind)),
      )
    })
  },
)
