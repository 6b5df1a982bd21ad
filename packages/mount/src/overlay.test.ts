import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { overlayLayers, overlayMount } from './overlay.ts'

const path = fc
  .string({ unit: fc.constantFrom('\\', ':', ',', ' ', '\n', '"', '=', 'a', 'é', '/'), minLength: 1 })
  .map((name) => `/${name}`)

describe('overlayMount', () => {
  test('is what other programs pass to the kernel', () => {
    expect(
      overlayMount({ lower: ['/s/2/fs', '/s/1/fs'], upper: '/s/3/fs', work: '/s/3/work' }, ['index=off']),
    ).toEqual({
      type: 'overlay',
      source: 'overlay',
      options: ['index=off', 'workdir=/s/3/work', 'upperdir=/s/3/fs', 'lowerdir=/s/2/fs:/s/1/fs'],
    })
  })

  test('D09 any path is read back as it was, and no other option comes of it', () => {
    fc.assert(
      fc.property(fc.array(path, { minLength: 1 }), fc.option(fc.tuple(path, path)), (lower, writable) => {
        const layers = writable ? { lower, upper: writable[0], work: writable[1] } : { lower }
        const mount = overlayMount(layers)
        expect(overlayLayers(mount)).toEqual(layers)
        // The kernel parts a list of options at commas that have no backslash before them.
        const options = mount.options.join(',').match(/(?:\\.|[^,\\])+/gs)
        expect(options).toEqual(mount.options)
      }),
    )
  })
})

describe('overlayLayers', () => {
  const layers = (...options: string[]) => overlayLayers({ type: 'overlay', source: 'overlay', options })

  test('reads backslashes as the kernel does', () => {
    expect(
      layers('lowerdir=/a\\:b:/c\\\\:/\\d', 'upperdir=/u:\\,', 'workdir=/w,x', 'ro', 'index=off'),
    ).toEqual({
      lower: ['/a:b', '/c\\', '/d'],
      upper: '/u:,',
      work: '/w,x',
    })
  })

  test('has none for a mount of another type', () => {
    expect(overlayLayers({ type: 'bind', source: '/a', options: ['rbind'] })).toBeUndefined()
  })

  test.each([
    'lowerdir=',
    'lowerdir',
    'lowerdir=/a:',
    'lowerdir=:/a',
    'lowerdir=/a::/b',
    'lowerdir=/a\\',
    'upperdir=',
    'upperdir=/u\\',
  ])('%j is refused', (option) => {
    expect(() => layers(option)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })

  test('a second value is refused, since which one counts is up to the kernel', () => {
    expect(() => layers('upperdir=/a', 'upperdir=/b')).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    )
  })
})
