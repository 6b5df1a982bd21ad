import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryPath } from './entry-path.ts'
import { SameDirectory } from './same-directory.ts'
import { whiteoutKind } from './whiteout.ts'

const component = fc.constantFrom(
  'a',
  'bc',
  '',
  '.',
  '..',
  '.wh.a',
  '.wh..wh..opq',
  '.hidden',
  'a\0b',
  'x'.repeat(300),
)
const name = fc
  .tuple(fc.array(component, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([path, slash]) => path.join('/') + (slash ? '/' : ''))

function parsed(text: string): readonly string[] | undefined {
  try {
    return entryPath(text, text)
  } catch {
    return undefined
  }
}

test('what it says of a name is what a closer look says', () => {
  fc.assert(
    fc.property(name, name, (first, second) => {
      const path = parsed(first)
      if (path === undefined || path.length === 0) return
      const here = new SameDirectory()
      here.set(first, path[path.length - 1]!)
      const last = here.lastOf(second)
      if (last === undefined) return
      const other = parsed(second)!
      expect(other).toEqual([...path.slice(0, -1), last])
      expect(whiteoutKind(second, [last]).kind).toBe('entry')
    }),
    { numRuns: 5000 },
  )
})

test('it knows the next name of a directory, and no name before the first', () => {
  const here = new SameDirectory()
  expect(here.lastOf('usr/bin/b')).toBeUndefined()
  here.set('usr/bin/a', 'a')
  expect(here.lastOf('usr/bin/b')).toBe('b')
  expect(here.lastOf('usr/bin/c/')).toBe('c')
  expect(here.lastOf('usr/bin/c/d')).toBeUndefined()
  expect(here.lastOf('usr/binary')).toBeUndefined()
})
