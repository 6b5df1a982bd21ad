import { processStat, spawnProgram } from '@nsbox/sys/processes'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { childEnd } from './child-ends.ts'

describeWith({ linux: true }, 'a child', () => {
  // There is no listener for ends before the first one.
  for (const which of ['first', 'second'])
    test(`that has ended before anybody asked for it is told, the ${which} one as well`, async () => {
      const pid = spawnProgram({ path: '/bin/sh', args: ['sh', '-c', 'exit 7'], env: {}, stdio: [0, 1, 2] })
      const never = new Int32Array(new SharedArrayBuffer(4))
      while (processStat(pid)?.state !== 'Z') Atomics.wait(never, 0, 0, 10)
      Atomics.wait(never, 0, 0, 50)
      expect(await childEnd(pid)).toEqual({ code: 7 })
    })
})
