import { describe, expect, test } from 'vitest'
import { parseVersion, versionWarning } from './runtime-version.ts'

test('versions of runc and crun are read', () => {
  expect(
    parseVersion('runc version 1.1.15+ds1\ncommit: 1.1.15+ds1-2+b4\nspec: 1.2.0\ngo: go1.24.4\n'),
  ).toEqual({
    name: 'runc',
    version: '1.1.15+ds1',
    commit: '1.1.15+ds1-2+b4',
    spec: '1.2.0',
  })
  expect(parseVersion('crun version 1.21\ncommit: abc\nspec: 1.0.0\n+SYSTEMD\n')).toMatchObject({
    name: 'crun',
    version: '1.21',
  })
  expect(() => parseVersion('')).toThrow(expect.objectContaining({ code: 'unknown' }))
})

describe('D12: a runtime with known escapes', () => {
  const of = (version: string, name = 'runc') => versionWarning({ name, version })

  test.each(['1.0.0', '1.1.15+ds1', '1.2.7', '1.3.2'])('is warned of: runc %s', (version) => {
    expect(of(version)).toContain(version)
  })

  test.each(['1.2.8', '1.2.9', '1.3.3', '1.4.0', '1.5.0', '2.0.0', 'unknown'])(
    'is not: runc %s',
    (version) => {
      expect(of(version)).toBeUndefined()
    },
  )

  test('is judged by its own numbers only', () => {
    expect(of('1.0.0', 'crun')).toBeUndefined()
  })
})
