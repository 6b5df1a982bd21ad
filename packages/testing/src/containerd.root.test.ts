import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { startContainerd, stockCtr } from './containerd.ts'
import { describeWith } from './describe-with.ts'

describeWith({ root: true, linux: true, programs: ['containerd', 'ctr'] }, 'startContainerd', () => {
  it('serves stock ctr, and leaves nothing behind', async () => {
    let root: string
    {
      await using containerd = await startContainerd()
      root = containerd.root
      const ctr = (...args: string[]) => stockCtr(containerd.address, 'default', args)
      expect(await ctr('namespaces', 'create', 'foo', 'a=b')).toMatchObject({ code: 0 })
      expect((await ctr('namespaces', 'ls')).stdout).toMatch(/^NAME\s+LABELS\s+\nfoo\s+a=b\s*\n$/)
    }
    expect(existsSync(root)).toBe(false)
  })

  it('gives each its own root', async () => {
    await using one = await startContainerd()
    await using two = await startContainerd()
    await stockCtr(one.address, 'default', ['namespaces', 'create', 'foo'])
    expect((await stockCtr(two.address, 'default', ['namespaces', 'ls', '-q'])).stdout).toBe('')
  })
})
