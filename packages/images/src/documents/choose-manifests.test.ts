import { type Descriptor, digestOf, mediaTypes, parsePlatform } from '@nsbox/oci'
import { expect, it } from 'vitest'
import { chooseManifests } from './choose-manifests.ts'

const entry = (name: string, platform?: string, mediaType: string = mediaTypes.ociManifest): Descriptor => ({
  mediaType,
  digest: digestOf(name),
  size: 1,
  ...(platform && { platform: parsePlatform(platform) }),
})
const [amd64, i386, arm64] = [entry('a', 'linux/amd64'), entry('b', 'linux/386'), entry('c', 'linux/arm64')]

it('takes the best for each platform, once', () => {
  const manifests = [i386!, amd64!, arm64!]
  const chosen = (...platforms: string[]) => chooseManifests(manifests, platforms.map(parsePlatform))
  expect(chosen('linux/amd64')).toEqual([amd64])
  expect(chosen('linux/386', 'linux/386', 'linux/arm64')).toEqual([i386, arm64])
  expect(chosen('linux/s390x')).toEqual([])
  expect(chosen()).toEqual(manifests)
})

it('takes what is no manifest in any case', () => {
  const parts = [
    entry('criu', 'linux/amd64', mediaTypes.checkpointCriu),
    entry('config', 'linux/amd64', mediaTypes.checkpointConfig),
  ]
  expect(chooseManifests([...parts, arm64!], [parsePlatform('linux/arm64')])).toEqual([arm64, ...parts])
  expect(chooseManifests(parts, [parsePlatform('linux/amd64')])).toEqual(parts)
})
