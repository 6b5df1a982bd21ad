import { expect, it } from 'vitest'
import { imageVolumes } from './image-volumes.ts'

const image = (...volumes: string[]) => ({ env: [], entrypoint: [], cmd: [], labels: {}, volumes })

it('gives clean paths, each once', () => {
  expect(imageVolumes(image('/data', '/data/', '/a//b/.', '/.../x'))).toEqual(['/data', '/a/b', '/.../x'])
})

it.each(['data', '', '/', '/.', '/../etc', '/a/../../etc', '/a/..', '/a\n', '/a\0'])(
  'B13 refuses %j',
  (path) => {
    expect(() => imageVolumes(image(path))).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  },
)
