import { Timestamp } from '@nsbox/time'
import { expect, it } from 'vitest'
import { renderInfo } from './commands/snapshots-info.ts'
import { renderTree } from './commands/snapshots-tree.ts'
import { formatMountCommands, formatMountsJson } from './format-mounts.ts'
import { gcRootLabel } from './gc-root-label.ts'

const overlay = { type: 'overlay', source: 'overlay', options: ['index=off', 'lowerdir=/a:/b'] }

it('prints mounts as commands that a shell takes as they are meant', () => {
  expect(formatMountCommands([overlay], '/mnt/x')).toBe(
    'mount -t overlay overlay /mnt/x -o index=off,lowerdir=/a:/b\n',
  )
  const odd = { type: 'bind', source: "/it's $HOME", target: 'below', options: ['rw', 'rbind'] }
  expect(formatMountCommands([odd, overlay], '/a b')).toBe(
    `mount -t bind '/it'\\''s $HOME' '/a b/below' -o rw,rbind\n` +
      `mount -t overlay overlay '/a b' -o index=off,lowerdir=/a:/b\n`,
  )
})

it('prints mounts as JSON with the names of containerd’s client', () => {
  expect(JSON.parse(formatMountsJson([{ ...overlay, target: 'x' }]))).toEqual([
    { Type: 'overlay', Source: 'overlay', Target: 'x', Options: overlay.options },
  ])
})

it('draws a tree of snapshots, however deep, and takes those with unknown parents for roots', () => {
  const snapshots = [
    { name: 'a', parent: 'missing' },
    { name: 'b', parent: undefined },
    { name: 'b1', parent: 'b' },
    { name: 'b11', parent: 'b1' },
    { name: 'b2', parent: 'b' },
  ]
  expect(renderTree(snapshots)).toBe(' a\n b\n  \\_ b1\n    \\_ b11\n  \\_ b2\n')
  const chain = Array.from({ length: 5000 }, (_, index) => ({
    name: `${index}`,
    parent: index === 0 ? undefined : `${index - 1}`,
  }))
  expect(renderTree(chain).split('\n')).toHaveLength(5001)
})

it('leaves out of a snapshot’s document what there is none of, and sorts its labels', () => {
  const [createdAt, updatedAt] = [new Timestamp(0), new Timestamp(1, 2)]
  const info = { name: 'n', kind: 'view', parent: undefined, labels: {}, createdAt, updatedAt } as const
  expect(renderInfo(info)).not.toMatch(/Parent|Labels/)
  const labels = { b: '2', a: '1' }
  expect(renderInfo({ ...info, parent: 'p', labels })).toBe(`{
    "Kind": "View",
    "Name": "n",
    "Parent": "p",
    "Labels": {
        "a": "1",
        "b": "2"
    },
    "Created": "1970-01-01T00:00:00Z",
    "Updated": "1970-01-01T00:00:01.000000002Z"
}`)
})

it('marks what a command makes with the second in which it was made', () => {
  expect(gcRootLabel(new Date('2026-01-02T03:04:05.678Z'))).toEqual({
    'containerd.io/gc.root': '2026-01-02T03:04:05Z',
  })
})
