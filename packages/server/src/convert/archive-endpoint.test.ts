import { packAny } from '@nsbox/api'
import { ImageStoreSchema } from '@nsbox/api/gen/types/transfer/imagestore_pb'
import {
  ImageExportStreamSchema,
  ImageImportStreamSchema,
} from '@nsbox/api/gen/types/transfer/importexport_pb'
import { defaultPlatform } from '@nsbox/oci'
import { expect, it } from 'vitest'
import { fromArchiveSinkMessage, fromArchiveSourceMessage } from './archive-endpoint.ts'

const linux = { os: 'linux', architecture: 'arm64' }

it('an archive that is sent names its stream', async () => {
  async function* receive(id: string) {
    yield Buffer.from(id)
  }
  const message = packAny(ImageImportStreamSchema, { stream: 's', forceCompress: true })
  const source = fromArchiveSourceMessage(message, receive)
  expect(source).toMatchObject({ kind: 'archive source', compressBlobs: true })
  for await (const chunk of source!.bytes) expect(String(chunk)).toBe('s')
})

it.each([
  [{ allPlatforms: true }, []],
  [{ allPlatforms: true, platforms: [linux] }, []],
  [{ platforms: [linux] }, [linux]],
  [{}, [defaultPlatform()]],
])('an archive that is taken with %j has the platforms %j', (fields, platforms) => {
  const skip = { skipCompatibilityManifest: true, skipNonDistributable: true }
  const message = packAny(ImageExportStreamSchema, { stream: 's', ...fields, ...skip })
  const sink = fromArchiveSinkMessage(message, () => async () => {})
  expect(sink).toMatchObject({
    kind: 'archive sink',
    platforms,
    skipDockerManifest: true,
    skipNonDistributable: true,
  })
})

it('another end is none', () => {
  const image = packAny(ImageStoreSchema, { name: 'i' })
  for (const message of [image, undefined]) {
    expect(fromArchiveSourceMessage(message, async function* () {})).toBeUndefined()
    expect(fromArchiveSinkMessage(message, () => async () => {})).toBeUndefined()
  }
})
