import { expect, test } from 'vitest'
import { distributionSourceKey, distributionSourceLabel, distributionSources } from './distribution-source.ts'

const key = 'containerd.io/distribution.source.docker.io'

test.each([
  ['docker.io', 'docker.io'],
  ['localhost:5000', 'localhost'],
  ['[::1]:5000', '::1'],
  ['[2001:db8::1]', '2001:db8::1'],
])('the label for %s ends in %s', (host, end) => {
  expect(distributionSourceKey(host)).toBe(`containerd.io/distribution.source.${end}`)
})

test('a repository joins the others, once and sorted', () => {
  const add = (repository: string, value?: string) =>
    distributionSourceLabel({ host: 'docker.io', repository }, value === undefined ? {} : { [key]: value })
  expect(add('b')).toEqual({ key, value: 'b' })
  expect(add('a', 'b,c').value).toBe('a,b,c')
  expect(add('b', 'b,c').value).toBe('b,c')
  expect(add('a', '').value).toBe('a')
})

test('what was joined is found again, for this registry only', () => {
  expect(distributionSources('docker.io', { [key]: 'a,b' })).toEqual(['a', 'b'])
  expect(distributionSources('quay.io', { [key]: 'a,b' })).toEqual([])
})

test('the label never outgrows its limit, and the new repository is always in it', () => {
  let labels = {}
  for (let i = 0; i < 200; i++) {
    const repository = `repository-${i}/`.padEnd(60, 'x')
    const { value } = distributionSourceLabel({ host: 'docker.io', repository }, labels)
    expect(key.length + value.length).toBeLessThanOrEqual(4096)
    labels = { [key]: value }
    expect(distributionSources('docker.io', labels)).toContain(repository)
  }
  expect(distributionSources('docker.io', labels)).toHaveLength(66)
})
