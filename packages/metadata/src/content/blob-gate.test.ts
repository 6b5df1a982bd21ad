import { digestOf } from '@nsbox/oci'
import { expect, test } from 'vitest'
import { BlobGate } from './blob-gate.ts'

const [a, b] = [digestOf('a'), digestOf('b')]
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** A gate, and functions to see who is in and to let them out. */
function newGate() {
  const gate = new BlobGate()
  const inside: string[] = []
  const exits = new Map<string, () => void>()
  const body = (name: string) => () =>
    new Promise<void>((resolve) => {
      inside.push(name)
      exits.set(name, () => {
        inside.splice(inside.indexOf(name), 1)
        resolve()
      })
    })
  return { gate, inside, body, leave: (name: string) => exits.get(name)?.() }
}

test('those who use a blob do not wait for each other, its removal waits for all of them', async () => {
  const { gate, inside, body, leave } = newGate()
  const all = [gate.use(a, body('use 1')), gate.use(a, body('use 2')), gate.remove(a, body('remove'))]
  await turn()
  expect(inside).toEqual(['use 1', 'use 2'])
  leave('use 1')
  await turn()
  expect(inside).toEqual(['use 2'])
  leave('use 2')
  await turn()
  expect(inside).toEqual(['remove'])
  leave('remove')
  await Promise.all(all)
})

test('who comes after a removal that waits, waits for it', async () => {
  const { gate, inside, body, leave } = newGate()
  const all = [gate.use(a, body('use 1')), gate.remove(a, body('remove')), gate.use(a, body('use 2'))]
  await turn()
  expect(inside).toEqual(['use 1'])
  leave('use 1')
  await turn()
  expect(inside).toEqual(['remove'])
  leave('remove')
  await turn()
  expect(inside).toEqual(['use 2'])
  leave('use 2')
  await Promise.all(all)
})

test('other blobs have nothing to do with it', async () => {
  const { gate, inside, body, leave } = newGate()
  const all = [
    gate.remove(a, body('remove a')),
    gate.remove(b, body('remove b')),
    gate.use(digestOf('c'), body('use c')),
  ]
  await turn()
  expect(inside).toEqual(['remove a', 'remove b', 'use c'])
  for (const name of ['remove a', 'remove b', 'use c']) leave(name)
  await Promise.all(all)
})

test('bytes whose digest is not known may be any blob', async () => {
  const { gate, inside, body, leave } = newGate()
  const all = [
    gate.remove(a, body('remove a')),
    gate.use(undefined, body('use')),
    gate.remove(b, body('remove b')),
  ]
  await turn()
  expect(inside).toEqual(['remove a'])
  leave('remove a')
  await turn()
  expect(inside).toEqual(['use'])
  leave('use')
  await turn()
  expect(inside).toEqual(['remove b'])
  leave('remove b')
  await Promise.all(all)
})

test('a body that fails lets the next one in', async () => {
  const { gate, inside, body, leave } = newGate()
  const failing = gate.use(a, () => Promise.reject(new Error('no')))
  const next = gate.remove(a, body('remove'))
  await expect(failing).rejects.toThrow('no')
  await turn()
  expect(inside).toEqual(['remove'])
  leave('remove')
  await next
})
