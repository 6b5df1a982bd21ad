import { expect, it } from 'vitest'
import { digestOf } from './digest.ts'
import { type ImageConfig, parseImageConfig } from './image-config.ts'
import { imageConfigJson } from './image-config-json.ts'

const whole: ImageConfig = {
  platform: { os: 'linux', architecture: 'arm', variant: 'v7', osVersion: '1', osFeatures: ['f'] },
  diffIds: [digestOf('a'), digestOf('b')],
  config: {
    user: '1:2',
    env: ['A=b', 'EMPTY='],
    entrypoint: ['/bin/sh', '-c'],
    cmd: ['true'],
    workingDir: '/work',
    stopSignal: 'SIGINT',
    labels: { a: 'b' },
    volumes: ['/data'],
  },
}
const bytesOf = (config: ImageConfig) =>
  Buffer.from(JSON.stringify(imageConfigJson(config, { createdBy: 'test', created: new Date(5000) })))

it('writes what parseImageConfig reads', () => {
  const bytes = bytesOf(whole)
  expect(parseImageConfig(bytes, { digest: digestOf(bytes) })).toEqual(whole)
  expect(JSON.parse(bytes.toString())).toMatchObject({
    created: '1970-01-01T00:00:05.000Z',
    history: [{ created_by: 'test' }, { created_by: 'test' }],
  })
})

it('leaves out what is empty', () => {
  const config = { env: [], entrypoint: [], cmd: [], labels: {}, volumes: [] }
  const platform = { os: 'linux', architecture: 'amd64' }
  expect(imageConfigJson({ platform, diffIds: [], config }, { createdBy: 'test' })).toEqual({
    ...platform,
    config: {},
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
  })
})

it.each(['A', '=b', 'A=\0'])('refuses the variable %j', (variable) => {
  const config = { ...whole, config: { ...whole.config, env: [variable] } }
  expect(() => bytesOf(config)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
})
