import { expect, test } from 'vitest'
import { Secrets } from './secrets.ts'

function secretsAt(clock: { now: number }, onEnd?: (value: string) => void): Secrets<string> {
  return new Secrets({ most: 2, lifetime: 60_000, now: () => clock.now, onEnd })
}

test('H02 a secret has 256 bits and none is like another', () => {
  const secrets = new Secrets<number>({ most: 1000, lifetime: 1 })
  const issued = Array.from({ length: 1000 }, (_, number) => secrets.issue(number))
  expect(new Set(issued).size).toBe(1000)
  for (const secret of issued) expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
})

test('H02 a secret is valid until its time is over, or it was taken', () => {
  const clock = { now: 0 }
  const secrets = secretsAt(clock)
  const [one, two] = [secrets.issue('one'), secrets.issue('two')]
  expect([secrets.find(one), secrets.find(one), secrets.find(`${one}x`), secrets.find('')]).toEqual([
    'one',
    'one',
    undefined,
    undefined,
  ])
  expect([secrets.take(one), secrets.take(one), secrets.find(one)]).toEqual(['one', undefined, undefined])
  clock.now = 59_999
  expect(secrets.find(two)).toBe('two')
  clock.now = 60_000
  expect([secrets.find(two), secrets.take(two)]).toEqual([undefined, undefined])
})

test('H02 there are at most so many: a new one takes the place of the oldest, whose value is told', () => {
  const ended: string[] = []
  const secrets = secretsAt({ now: 0 }, (value) => ended.push(value))
  const issued = ['one', 'two', 'three'].map((value) => secrets.issue(value))
  expect(issued.map((secret) => secrets.find(secret))).toEqual([undefined, 'two', 'three'])
  expect(ended).toEqual(['one'])
})
