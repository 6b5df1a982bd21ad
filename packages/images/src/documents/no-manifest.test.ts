import { type Descriptor, digestOf, mediaTypes, type Platform, parsePlatform } from '@nsbox/oci'
import { expect, it } from 'vitest'
import { chooseChildren } from './choose-children.ts'

const index: Descriptor = { mediaType: mediaTypes.ociIndex, digest: digestOf('index'), size: 1 }
const manifest = (platform?: Platform): Descriptor => ({
  mediaType: mediaTypes.ociManifest,
  digest: digestOf(JSON.stringify(platform ?? '')),
  size: 1,
  platform,
})
const choose = (below: readonly Descriptor[]) => () =>
  chooseChildren(index, below, { platforms: ['linux/s390x', 'linux/s390x'].map(parsePlatform), layers: true })

it('an index without the platform is refused by what is wanted and what there is', () => {
  const below = ['linux/amd64', 'unknown/unknown', 'linux/arm64', 'linux/amd64'].map((text) =>
    manifest(parsePlatform(text)),
  )
  expect(choose(below)).toThrow(
    /: no manifest for linux\/s390x; there are: linux\/amd64, linux\/arm64: not found$/,
  )
})

it('names no more platforms than a line holds, and none as a terminal would obey it', () => {
  const many = Array.from({ length: 5000 }, (_, n) => manifest({ os: `system\u001b${n}`, architecture: 'x' }))
  let message = ''
  try {
    choose(many)()
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toMatch(/"system\\u001b11\/x" and 4988 more: not found$/)
})
