import { expect, test } from 'vitest'
import { KeyedMutex } from './keyed-mutex.ts'

const tick = () => new Promise((resolve) => setImmediate(resolve))

test('runs turns of one key one after the other, and those of others beside them', async () => {
  const mutex = new KeyedMutex()
  const log: string[] = []
  const turn = (key: string, name: string) =>
    mutex.run(key, async () => {
      log.push(`+${name}`)
      await tick()
      log.push(`-${name}`)
      return name
    })
  expect(await Promise.all([turn('a', '1'), turn('a', '2'), turn('b', '3')])).toEqual(['1', '2', '3'])
  expect(log.indexOf('-1')).toBeLessThan(log.indexOf('+2'))
  expect(log.indexOf('+3')).toBeLessThan(log.indexOf('-1'))
})

test('goes on after a turn that failed, whose caller is told', async () => {
  const mutex = new KeyedMutex()
  const failing = mutex.run('a', () => Promise.reject(new Error('no')))
  const next = mutex.run('a', async () => 'yes')
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('yes')
})
