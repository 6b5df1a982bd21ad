import { expect, it } from 'vitest'
import { shortened } from './shortened.ts'

it('bounds text, and replaces what would change how its surroundings are read', () => {
  expect(shortened('a'.repeat(100), 10)).toBe(`${'a'.repeat(9)}…`)
  expect(shortened('a\u202eb\nc\u001bd\u2066e')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde')
  // Half of a pair is left where a text is cut.
  expect(shortened(`abc\u{1f600}def`, 5)).toBe('abc\ufffd…')
  expect(shortened('<b>names</b>')).toBe('<b>names</b>')
})
