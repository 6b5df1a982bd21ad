import { buffer as collect } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { type Descriptor, digestOf } from '@nsbox/oci'
import { startFaultServer } from '@nsbox/testing'
import { describe, expect, it } from 'vitest'
import { failure } from '../testing/failure.ts'
import {
  blobPath,
  content,
  layer,
  limits,
  registry,
  remote,
  server,
  useFaultServer,
  withOptions,
} from '../testing/fault-registry.ts'
import { serve } from '../testing/odd-server.ts'

useFaultServer()
const ranges = () => server.requests.map(({ headers }) => headers.range)

describe('a body', () => {
  it('comes in one piece as far as it came while its reader was busy', async () => {
    const parts = Array.from({ length: 30 }, (_, index) =>
      content.subarray(index * 10_000, (index + 1) * 10_000),
    )
    let sent = () => {}
    const allSent = new Promise<void>((resolve) => {
      sent = resolve
    })
    await using slow = await serve(async (_, response) => {
      for (const part of parts) {
        response.write(part)
        await delay(2)
      }
      response.end(sent)
    })
    const pieces: Uint8Array[] = []
    for await (const piece of registry.remote(`${slow.host}/app:1`).fetch(layer)) {
      pieces.push(piece)
      await allSent
      await delay(20)
    }
    expect(Buffer.concat(pieces).equals(content)).toBe(true)
    expect(pieces.length).toBeLessThan(4)
  })

  it('that breaks off is continued where it broke', async () => {
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 100_000 } }, { body: content })
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
    expect(ranges()).toEqual([undefined, 'bytes=100000-'])
  })

  it('that breaks off again and again is continued as long as it grows', async () => {
    const cut = { body: content, fault: { cutAfter: 40_000 } }
    server.on('GET', blobPath, cut, cut, cut, cut, cut, cut, { body: content })
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
    expect(server.requests).toHaveLength(7)
  })

  it('that always ends early is data_loss in the end', async () => {
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 0 } })
    expect(await failure(collect(remote().fetch(layer)))).toMatchObject({ code: 'data_loss' })
    expect(server.requests).toHaveLength(3)
  })

  it('that grows by a byte for each connection does not go on for ever', async () => {
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 1 } })
    expect(await failure(collect(remote().fetch(layer)))).toMatchObject({ code: 'data_loss' })
    expect(server.requests).toHaveLength(3)
  })

  it('C05 that comes whole instead of the range is passed over up to where it broke', async () => {
    const whole = { body: content, fault: 'ignores ranges' } as const
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 100_000 } }, whole)
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
  })

  it('C05 that comes with another range than was asked for is read anew', async () => {
    const wrong = { body: content, fault: 'wrong range' } as const
    server.on('GET', blobPath, { body: content, fault: { cutAfter: 100_000 } }, wrong)
    expect((await collect(remote().fetch(layer))).equals(content)).toBe(true)
    expect(ranges()).toEqual([undefined, 'bytes=100000-', undefined])
  })

  it('C05 whose range says another size than the descriptor is refused', async () => {
    server.on('GET', blobPath, { body: content.subarray(0, 200_000) })
    const fetched = collect(remote().fetch(layer, { offset: 100_000 }))
    expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
  })

  it('C05 for which a range is refused is read anew', async () => {
    server.on('GET', blobPath, { status: 416 }, { body: content })
    const rest = await collect(remote().fetch(layer, { offset: 100_000 }))
    expect(rest.equals(content.subarray(100_000))).toBe(true)
  })

  it('B03 of another size than the descriptor is refused before anything is delivered', async () => {
    for (const size of [layer.size - 1, layer.size + 1]) {
      server.on('GET', blobPath, { body: content })
      const chunks: Uint8Array[] = []
      const fetched = (async () => {
        for await (const chunk of remote().fetch({ ...layer, size })) chunks.push(chunk)
      })()
      expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
      expect(chunks).toEqual([])
    }
  })

  it('B03 without an announced size never delivers more than the descriptor’s size', async () => {
    await using chunked = await serve((_, response) => {
      response.write(content)
      response.end('and more')
    })
    let received = 0
    const fetched = (async () => {
      for await (const chunk of registry.remote(`${chunked.host}/app:1`).fetch(layer))
        received += chunk.length
    })()
    expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
    expect(received).toBe(layer.size)
  })

  it('B03 without an announced size that is too short is data_loss', async () => {
    await using chunked = await serve((_, response) => {
      response.write(content.subarray(0, 10))
      response.end()
    })
    const fetched = collect(registry.remote(`${chunked.host}/app:1`).fetch(layer))
    expect(await failure(fetched)).toMatchObject({ code: 'data_loss' })
  })

  it('B03 is not asked for with a size or digest that is none', async () => {
    for (const wrong of [
      { size: -1 },
      { size: 1.5 },
      { digest: 'sha256:../../etc/passwd' },
      { digest: 'md5:00' },
    ]) {
      const fetched = collect(remote().fetch({ ...layer, ...wrong } as Descriptor))
      expect(await failure(fetched)).toMatchObject({ code: 'invalid_argument' })
    }
    expect(server.requests).toEqual([])
  })

  it('that nobody asked to be encoded is refused', async () => {
    server.on('GET', blobPath, { body: content, headers: { 'content-encoding': 'gzip' } })
    expect(await failure(collect(remote().fetch(layer)))).toMatchObject({ code: 'invalid_argument' })
  })

  it('that trickles is given up as unavailable, and no quicker than the window', async () => {
    await using client = withOptions({
      limits: { ...limits, attempts: 2, rateWindow: 300, minimumRate: 10_000 },
    })
    server.on('GET', blobPath, { body: content, fault: { trickle: { bytes: 10, everyMs: 10 } } })
    const started = performance.now()
    expect(await failure(collect(remote(client).fetch(layer)))).toMatchObject({ code: 'unavailable' })
    expect(performance.now() - started).toBeGreaterThan(590)
    expect(server.requests).toHaveLength(2)
  })

  it('that stalls is continued', async () => {
    await using client = withOptions({ limits: { ...limits, rateWindow: 300 } })
    server.on('GET', blobPath, { body: content, fault: { stallAfter: 100_000 } }, { body: content })
    expect((await collect(remote(client).fetch(layer))).equals(content)).toBe(true)
  })

  it('does not count as slow while its reader is', async () => {
    await using client = withOptions({
      limits: { ...limits, attempts: 1, rateWindow: 100, minimumRate: 1e6 },
    })
    server.on('GET', blobPath, { body: content })
    let received = 0
    for await (const chunk of remote(client).fetch(layer)) {
      received += chunk.length
      await delay(60)
    }
    expect(received).toBe(layer.size)
  })

  it('that its reader leaves ends the connection', async () => {
    let closed: Promise<void> | undefined
    await using endless = await serve((_, response) => {
      closed = new Promise((resolve) => response.on('close', () => resolve()))
      response.write(content)
    })
    for await (const _ of registry.remote(`${endless.host}/app:1`).fetch({ ...layer, size: 1e9 })) break
    await closed
  })

  it('is aborted by a signal with its reason', async () => {
    server.on('GET', blobPath, { body: content, fault: { stallAfter: 1000 } })
    const controller = new AbortController()
    const fetched = collect(remote().fetch(layer, { signal: controller.signal }))
    await expect.poll(() => server.requests).toHaveLength(1)
    controller.abort(new Error('enough'))
    await expect(fetched).rejects.toThrow('enough')
    const late = collect(remote().fetch(layer, { signal: controller.signal }))
    await expect(late).rejects.toThrow('enough')
    expect(server.requests).toHaveLength(1)
  })

  it('B08 is not looked for at the addresses that a descriptor names', async () => {
    await using elsewhere = await startFaultServer()
    const foreign = { ...layer, urls: [`http://${elsewhere.host}/layer`] }
    expect(await failure(collect(remote().fetch(foreign)))).toMatchObject({ code: 'not_found' })
    expect(elsewhere.requests).toEqual([])
  })

  it('of an unknown media type is looked for among blobs, then among manifests', async () => {
    const unknown = { ...layer, mediaType: 'application/vnd.example' }
    server.on('GET', `/v2/app/manifests/${layer.digest}`, { body: content })
    expect((await collect(remote().fetch(unknown))).equals(content)).toBe(true)
    expect(server.requests.map(({ path }) => path.split('/')[3])).toEqual(['blobs', 'manifests'])
  })

  it('of no bytes needs no request', async () => {
    const empty = { ...layer, digest: digestOf(''), size: 0 }
    expect(await collect(remote().fetch(empty))).toHaveLength(0)
    expect(server.requests).toEqual([])
  })
})
