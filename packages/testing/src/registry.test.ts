import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { describeWith } from './describe-with.ts'
import { type Registry, startRegistry } from './registry.ts'
import { seededBytes } from './seeded-bytes.ts'

async function uploadBlob(registry: Registry, repository: string, bytes: Buffer): Promise<string> {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const begun = await fetch(`http://${registry.host}/v2/${repository}/blobs/uploads/`, { method: 'POST' })
  const url = `${begun.headers.get('location')}&digest=${encodeURIComponent(digest)}`
  const done = await fetch(url, { method: 'PUT', body: new Uint8Array(bytes) })
  expect(done.status).toBe(201)
  return `http://${registry.host}/v2/${repository}/blobs/${digest}`
}

describeWith({ programs: ['docker-registry', 'perl'] }, 'startRegistry', () => {
  it('counts what it served in its access log', async () => {
    await using registry = await startRegistry()
    const bytes = Buffer.concat([...seededBytes(1, 5000)])
    const url = await uploadBlob(registry, 'a/b', bytes)
    const before = (await registry.accessLog()).length
    expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(bytes)
    await (await fetch(url, { headers: { range: 'bytes=4000-' } })).arrayBuffer()
    await fetch(`http://${registry.host}/v2/nothing/manifests/here`, { method: 'HEAD' })
    const path = new URL(url).pathname
    expect((await registry.accessLog()).slice(before)).toMatchObject([
      { method: 'GET', path, status: 200, bytes: 5000 },
      { method: 'GET', path, status: 206, bytes: 1000 },
      { method: 'HEAD', path: '/v2/nothing/manifests/here', status: 404 },
    ])
  })

  it('keeps its address, its blobs and its log when it is killed and starts again', async () => {
    await using registry = await startRegistry()
    const url = await uploadBlob(registry, 'a', Buffer.from('x'))
    await registry.kill()
    await expect(fetch(url)).rejects.toThrow()
    await registry.restart()
    expect(await (await fetch(url)).text()).toBe('x')
    const methods = (await registry.accessLog()).map(({ method }) => method)
    expect(methods).toEqual(['POST', 'PUT', 'GET'])
  })

  it('lets in only who knows the password, if there is one', async () => {
    await using registry = await startRegistry({ auth: { user: 'me', password: 'p:w' } })
    const url = `http://${registry.host}/v2/`
    expect((await fetch(url)).status).toBe(401)
    const headers = { authorization: `Basic ${btoa('me:p:w')}` }
    expect((await fetch(url, { headers })).status).toBe(200)
    expect(await registry.accessLog()).toMatchObject([{ status: 401 }, { status: 200 }])
  })
})
