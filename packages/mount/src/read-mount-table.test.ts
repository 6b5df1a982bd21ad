import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { MountInfo } from './mount-info.ts'
import { readMountTable } from './read-mount-table.ts'

async function* chunks(text: Uint8Array, sizes: readonly number[]) {
  let start = 0
  for (const size of sizes) {
    yield text.subarray(start, start + size)
    start += size
  }
  yield text.subarray(start)
}

async function all(table: AsyncIterable<MountInfo>): Promise<MountInfo[]> {
  const infos: MountInfo[] = []
  for await (const info of table) infos.push(info)
  return infos
}

const line = (id: number) => `${id} 1 0:1 / /m\u00e9\\040${id} rw - tmpfs t rw\n`

test('the mounts are the same however the table comes in pieces', async () => {
  const text = Buffer.from([1, 2, 3, 4].map(line).join(''))
  const whole = await all(readMountTable(chunks(text, [])))
  expect(whole.map(({ mountPoint }) => mountPoint)).toEqual([
    '/m\u00e9 1',
    '/m\u00e9 2',
    '/m\u00e9 3',
    '/m\u00e9 4',
  ])
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(40)), async (sizes) => {
      expect(await all(readMountTable(chunks(text, sizes)))).toEqual(whole)
    }),
  )
})

test('a last line without its end counts', async () => {
  const text = Buffer.from(line(1) + line(2).trimEnd())
  expect(await all(readMountTable(chunks(text, [7])))).toHaveLength(2)
})

test('mounts come while the table is still being read', async () => {
  let given = 0
  async function* endless() {
    for (;;) yield Buffer.from(line(++given))
  }
  for await (const info of readMountTable(endless())) if (info.id === 10_000) break
  expect(given).toBe(10_000)
})

test('a line without end is refused', async () => {
  async function* endless() {
    const chunk = Buffer.alloc(1024 * 1024, 'x')
    for (;;) yield chunk
  }
  await expect(all(readMountTable(endless()))).rejects.toMatchObject({ code: 'resource_exhausted' })
})
