import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { RestoreBench } from '../testing/restore-bench.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu', 'mkfifo'] } as const

/** Holds a file open and waits. */
const reader = ['sh', '-c', 'echo twelve bytes > /tmp/data; exec 3< /tmp/data; echo ready; read line; cat <&3']

describeWith(needs, 'a start from a checkpoint that fails', () => {
  for (const [what, spoil, words] of [
    ['is missing', (file: string) => rmSync(file), ''],
    ['has another size', (file: string) => writeFileSync(file, 'more than twelve bytes\n'), ''],
  ] as const) {
    test(`since a file ${what} names it, and can be done again`, async () => {
      await using bench = await RestoreBench.open()
      const { tasks } = bench
      const rootfs = await bench.rootfs()
      const file = join(rootfs[0]!.source, 'tmp/data')
      const before = await bench.io()
      const spec = bench.spec('one', reader)
      await tasks.create('one', { rootfs, spec, ...before.io })
      await tasks.start('one')
      await expect.poll(() => before.stdout.text()).toBe('ready\n')
      const options = bench.from(await bench.dump('one'))
      spoil(file)
      const after = await bench.io()
      await tasks.create('one', { rootfs, spec, ...after.io, options })
      await tasks.start('one').catch((e) => console.log(e.code, e.message))
      console.log(await after.stdout.ended)
    })
  }
})
