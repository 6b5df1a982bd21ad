import { expect, it } from 'vitest'
import { describeWith } from './describe-with.ts'
import { filesLayer } from './image-layer.ts'
import { buildImage } from './image-layout.ts'
import { pushImage } from './push-image.ts'
import { readmeExample } from './readme-example.ts'
import { startRegistry } from './registry.ts'
import { tempDir } from './temp-dir.ts'

const accept =
  'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, ' +
  'application/vnd.docker.distribution.manifest.v2+json'

describeWith({ programs: ['docker-registry', 'skopeo'] }, 'pushImage', () => {
  it('keeps digests, for a single image and for an index', async () => {
    await using registry = await startRegistry()
    await using dir = await tempDir()
    const spec = { layers: [filesLayer({ a: 'b' })] }
    const arm = { ...spec, platform: { os: 'linux', architecture: 'arm64' } }
    for (const each of [spec, [spec, arm]]) {
      const image = await buildImage(`${dir.path}/${'layers' in each ? 'one' : 'two'}`, each)
      const pushed = await pushImage(image, registry, 'test/image:1')
      expect(pushed).toEqual({ reference: `${registry.host}/test/image:1`, digest: image.target.digest })
      const reply = await fetch(`http://${registry.host}/v2/test/image/manifests/1`, { headers: { accept } })
      expect(reply.headers.get('docker-content-digest')).toBe(image.target.digest)
    }
  })

  it("converts to Docker's media types, and logs in", async () => {
    await using registry = await startRegistry({ auth: { user: 'u', password: 'p' } })
    await using dir = await tempDir()
    const image = await buildImage(dir.path, { layers: [filesLayer({ a: 'b' })] })
    const { digest } = await pushImage(image, registry, 'image:1', { format: 'v2s2' })
    const headers = { accept, authorization: `Basic ${btoa('u:p')}` }
    const reply = await fetch(`http://${registry.host}/v2/image/manifests/${digest}`, { headers })
    expect(await reply.json()).toMatchObject({
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    })
  })

  it('works as the README shows', () => readmeExample(new URL('../README.md', import.meta.url)))
})
