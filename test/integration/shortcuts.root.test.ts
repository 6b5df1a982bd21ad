import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { traceProcess } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, it } from 'vitest'
import { openContainerLab } from './container-lab.ts'
import { startServer } from './programs.ts'

const needs = { root: true, linux: true, programs: ['containerd', 'ctr', 'runc', 'strace'] } as const

describeWith(needs, 'a server', () => {
  describe.each(['on', 'off'] as const)('whose shortcuts are %s', (use) => {
    it('runs containers, and runc for what it may not do itself', async () => {
      await using server = await startServer({ env: { NSBOX_RUNTIME_SHORTCUTS: use } })
      await using lab = await openContainerLab(server.address, `shortcuts-${use}`)
      const run = (id: string) => lab.stock(['run', '--rm', lab.image, id, 'echo', 'done'])
      expect(await run('first')).toMatchObject({ code: 0, stdout: 'done\n' })
      const proofs = join(server.state, 'tasks/proofs.json')
      if (use === 'on') await expect.poll(() => existsSync(proofs), { timeout: 60_000 }).toBe(true)

      await using trace = await traceProcess(['execve'], server.process.pid)
      const [supervisor] = await server.supervisors()
      await using launches = await traceProcess(['execve'], supervisor!)
      expect(await run('second')).toMatchObject({ code: 0, stdout: 'done\n' })
      const commands = (await trace.stop()).map(({ args }) => /"(start|delete)"/.exec(args)?.[1])
      expect(commands.filter((command) => command !== undefined)).toEqual(
        use === 'on' ? [] : ['start', 'delete'],
      )
      // runc, which runs itself again inside, and the program.
      const launched = (await launches.stop()).map(({ args }) => /\["([^"]+)"(?:, "(init)")?/.exec(args)!)
      expect(launched.map(([, name, init = '']) => `${name} ${init}`)).toEqual([
        'runc ',
        'runc init',
        'echo ',
      ])
      expect(existsSync(proofs)).toBe(use === 'on')
    }, 120_000)
  })
})
