import { readFile } from 'node:fs/promises'
import { connect } from '@nsbox/client'
import { createHasher } from '@nsbox/oci'
import { runOrThrow, seededBytes } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { startServer } from './programs.ts'

const MiB = 1 << 20

/** The full size takes minutes where the disk is slow; of the other the server could not hold all in the limit. */
const size = (process.env.NSBOX_TEST_LONG ? 1024 : 160) * MiB

/** The most memory that a process has had resident so far, in MiB. */
async function peak(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s*(\d+) kB/.exec(status)?.[1]) / 1024
}

describeWith({ linux: true, programs: ['ctr'] }, 'the memory of a server', () => {
  it('stays under 200 MiB while a large blob streams in and out', { timeout: 600_000 }, async () => {
    await using server = await startServer()
    await using client = connect({ address: server.address, namespace: 'n' })
    const hasher = createHasher()
    const piece = Buffer.concat([...seededBytes(1, MiB)])
    {
      await using writer = await client.content.writer({ ref: 'large', total: size })
      for (let offset = 0; offset < size; offset += piece.length) {
        // Every piece differs, so that nothing can be taken for a hole.
        piece.writeUInt32LE(offset / MiB)
        hasher.update(piece)
        await writer.write(piece)
      }
      await writer.commit({ labels: { 'containerd.io/gc.root': 'now' } })
    }
    const digest = hasher.digest()
    const afterWrite = await peak(server.process.pid)

    const read = createHasher()
    for await (const chunk of client.content.read(digest)) read.update(chunk)
    expect(read.digest()).toBe(digest)
    const afterRead = await peak(server.process.pid)

    // Stock ctr reads by many small calls.
    const { stdout } = await runOrThrow(
      'sh',
      ['-c', `/usr/bin/ctr -a ${server.address} -n n content get ${digest} | sha256sum`],
      { timeout: 300_000 },
    )
    expect(`sha256:${stdout.split(' ')[0]}`).toBe(digest)
    const afterStock = await peak(server.process.pid)

    if (process.env.NSBOX_SHOW) console.log(afterWrite, afterRead, afterStock)
    expect(
      Math.max(afterWrite, afterRead, afterStock),
      `${afterWrite} ${afterRead} ${afterStock}`,
    ).toBeLessThan(200)
  })
})
