import {
  buildImage,
  filesLayer,
  needs,
  pushImage,
  readmeExample,
  startRegistry,
  tempDir,
} from '@nsbox/testing'
import { afterEach, it, vi } from 'vitest'

afterEach(() => vi.unstubAllEnvs())

const missing = needs({ programs: ['docker-registry', 'skopeo'] })

it.skipIf(missing)('does what the README shows', async () => {
  await using layout = await tempDir('nsbox-registry-readme')
  await using registry = await startRegistry()
  const image = await buildImage(layout.path, [{ layers: [filesLayer({ hello: 'world' })] }])
  const { reference } = await pushImage(image, registry, 'library/busybox:latest')
  vi.stubEnv('IMAGE', reference)
  vi.stubEnv('DOCKER_CONFIG', layout.path)
  await readmeExample(new URL('../README.md', import.meta.url))
})
