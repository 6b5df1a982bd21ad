import { describe, expect, it, test } from 'vitest'
import { parseDockerArchive } from './docker-archive.ts'
import { checkImageLayout } from './image-layout.ts'

const json = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const invalid = expect.objectContaining({ code: 'invalid_argument' })

describe('manifest.json of a Docker archive', () => {
  it('gives its images', () => {
    const images = [
      { Config: 'a.json', RepoTags: ['a:1', 'a:2'], Layers: ['1/layer.tar', '2/layer.tar'], Parent: 'x' },
      { Config: 'b.json', RepoTags: null, Layers: null },
    ]
    expect(parseDockerArchive(json(images))).toEqual([
      { config: 'a.json', repoTags: ['a:1', 'a:2'], layers: ['1/layer.tar', '2/layer.tar'] },
      { config: 'b.json', repoTags: [], layers: [] },
    ])
  })

  test.each([
    ['no array', {}],
    ['no objects', ['x']],
    ['no config', [{ Layers: [] }]],
    ['B05 a key in another case', [{ Config: 'a', config: 'b' }]],
    ['B05 a key twice', '[{"Config":"a","Config":"b"}]'],
    ['B02 layers without number', [{ Config: 'a', Layers: Array(10_001).fill('l') }]],
    ['B02 too many bytes', `[${' '.repeat(4 * 1024 * 1024)}]`],
  ])('is refused with %s', (_what, document) => {
    expect(() => parseDockerArchive(json(document))).toThrow(invalid)
  })
})

describe('the document that marks an image layout', () => {
  it('is accepted in version 1.0.0', () => {
    expect(() => checkImageLayout(json({ imageLayoutVersion: '1.0.0' }))).not.toThrow()
  })

  test.each([{ imageLayoutVersion: '2.0.0' }, {}, { imagelayoutversion: '1.0.0' }, [], 'x'])(
    'is refused as %j',
    (document) => {
      expect(() => checkImageLayout(json(document))).toThrow(invalid)
    },
  )
})
