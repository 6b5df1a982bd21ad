// Builds the programs of the tests that are in Go, so that the tests find all that they are made of in the cache.
import { join } from 'node:path'
import { buildGoProgram, tempDir } from '@nsbox/testing'

await using scratch = await tempDir('nsbox-go-programs')
await buildGoProgram(
  join(import.meta.dirname, '../test/integration/go-client'),
  join(scratch.path, 'go-client'),
)
