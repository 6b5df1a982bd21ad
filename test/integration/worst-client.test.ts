import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { connect } from '@nsbox/client'
import { createHasher } from '@nsbox/oci'
import { bundleSources, startProcess, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer } from './programs.ts'

/** What the benchmark does for as long as it is let. */
const attacks = join(import.meta.dirname, '../../bench/worst-client')

/** How long the attack goes on, in milliseconds: what grows without bound is beyond any in a second. */
const attackTime = process.env.NSBOX_TEST_LONG ? 4000 : 1500

/** How much a hostile client may cost a server, in megabytes, and how much may be left of it. */
const most = 300
const left = 120

describeWith({ linux: true }, 'a client that does its worst', () => {
  const resources = new AsyncDisposableStack()
  let attack: string
  beforeAll(async () => {
    const { path } = resources.use(await tempDir('nsbox-attacks'))
    attack = await bundleSources(`import './attacks.ts'`, attacks, path)
  })
  afterAll(() => resources.disposeAsync())

  it.each(['streams', 'reads', 'unfinished', 'resets', 'bodies', 'connections', 'all'])(
    'E07 by %s costs the server bounded memory, which it gives back, and no other client an answer',
    { timeout: 120_000 },
    async (name) => {
      await using server = await startServer()
      await using client = connect({ address: server.address, namespace: 'bench' })
      const resident = async () => {
        const status = await readFile(`/proc/${server.process.pid}/status`, 'utf8')
        return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1000
      }
      const bytes = Buffer.alloc(4 << 20, 1)
      const hasher = createHasher()
      hasher.update(bytes)
      const digest = hasher.digest()
      {
        await using writer = await client.content.writer({ ref: 'blob' })
        await writer.write(bytes)
        await writer.commit({ labels: { 'containerd.io/gc.root': 'now' } })
      }
      const before = await resident()
      let peak = 0
      {
        const args = [attack, server.address, name, digest]
        await using attacker = await startProcess(process.execPath, args)
        const until = performance.now() + attackTime
        while (performance.now() < until) {
          await client.version()
          peak = Math.max(peak, await resident())
        }
        expect(attacker.output).toBe('')
      }
      expect(peak - before).toBeLessThan(most)
      await expect.poll(async () => (await resident()) - before, { timeout: 60_000 }).toBeLessThan(left)
      expect((await client.content.info(digest)).size).toBe(bytes.length)
    },
  )
})
