import { describe, expect, it } from 'vitest'
import { check, type Files } from './testing/faultless-workspace.ts'

describe('citations', () => {
  const source = 'packages/errors/src/code.ts'
  const rules = '# Rules\n\n## 1. Names\n\n## 3. Content\n'
  const model = '| A01 | withstood |\n\nNot applicable here:\n\n- A02: none.\n'
  const tested = { 'packages/errors/src/code.test.ts': "test('A01 is withstood')" }
  const documents: Files = { 'docs/behaviour.md': rules, 'docs/threat-model.md': model, ...tested }

  it.each([
    '/** Limits (docs/behaviour.md §1, §3). */',
    '/**\n * Limits (docs/behaviour.md §1 and\n * §3).\n */',
    '// See docs/threat-model.md A01, A02.',
    '// See docs/behaviour.md and packages/errors/src/code.ts.',
    '// RFC 9110 §9 and the image specification, manifest.md.',
    `export const text = 'docs/none.md §1'`,
  ])('may be those of %s', async (text) => {
    expect(await check({ ...documents, [source]: text })).toEqual([])
  })

  it.each([
    ['/** Limits (docs/behaviour.md §1, §2). */', 'cites docs/behaviour.md §2, which is no section of it'],
    ['// See docs/behaviour.md §1,\n// §12.', 'cites docs/behaviour.md §12, which is no section of it'],
    ['// docs/threat-model.md A01 and B01', 'cites docs/threat-model.md B01, which it does not have'],
    [
      '// See packages/errors/src/none.ts.',
      'names packages/errors/src/none.ts, which is not in the repository',
    ],
    ['// As in OTHER.md.', 'names OTHER.md, which is not in the repository'],
    [
      '// As in ../../../../shared/OTHER.md.',
      'names ../../../../shared/OTHER.md, which is not in the repository',
    ],
    ['// Run `npm run nothing`.', 'says npm run nothing, which package.json does not have'],
    ['// OTHER §5', 'cites OTHER §5 instead of a path in docs/'],
    ['// OTHER B01', 'cites OTHER B01 instead of a path in docs/'],
  ])('lead somewhere, unlike %s', async (text, problem) => {
    expect(await check({ ...documents, [source]: text })).toEqual([`${source} ${problem}`])
  })

  it('in documents lead somewhere as well', async () => {
    const files = { 'docs/more.md': 'As `behaviour.md` says, and `OTHER.md`; (docs/behaviour.md §7)' }
    expect(await check({ ...documents, ...files })).toEqual([
      'docs/more.md cites docs/behaviour.md §7, which is no section of it',
      'docs/more.md names OTHER.md, which is not in the repository',
    ])
  })
})
