import { expect, it } from 'vitest'
import { type Fault, type FaultReply, startFaultServer } from './fault-server.ts'

async function get(reply: FaultReply, headers: Record<string, string> = {}, timeout = 5000) {
  await using server = await startFaultServer()
  server.on('GET', '/x', reply)
  const signal = AbortSignal.timeout(timeout)
  const response = await fetch(`http://${server.host}/x?y=z`, { headers, signal })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

const body = '0123456789'
const range = { range: 'bytes=4-' }

it('serves a body, and ranges of it', async () => {
  expect(await get({ body })).toMatchObject({ status: 200, text: body })
  const part = await get({ body }, range)
  expect(part).toMatchObject({ status: 206, text: '456789' })
  expect(part.headers.get('content-range')).toBe('bytes 4-9/10')
  expect(await get({ body }, { range: 'bytes=2-3' })).toMatchObject({ status: 206, text: '23' })
  expect(await get({ body }, { range: 'bytes=10-' })).toMatchObject({ status: 416, text: '' })
})

it('answers each request in turn, and remembers them', async () => {
  await using server = await startFaultServer()
  server.on('GET', '/x', { status: 503 }, ({ headers }) => ({ body: String(headers['x-word']) }))
  const url = `http://${server.host}/x`
  const texts: string[] = []
  for (const word of ['one', 'two', 'three'])
    texts.push(await (await fetch(url, { headers: { 'x-word': word } })).text())
  expect(texts).toEqual(['', 'two', 'three'])
  expect((await fetch(`${url}/unknown`, { method: 'HEAD' })).status).toBe(404)
  expect(server.requests).toMatchObject([
    { method: 'GET', path: '/x', headers: { 'x-word': 'one' } },
    {},
    {},
    { method: 'HEAD', path: '/x/unknown' },
  ])
})

it('ignores a range or answers another one', async () => {
  expect(await get({ body, fault: 'ignores ranges' }, range)).toMatchObject({ status: 200, text: body })
  const wrong = await get({ body, fault: 'wrong range' }, range)
  expect(wrong).toMatchObject({ status: 206, text: '56789' })
  expect(wrong.headers.get('content-range')).toBe('bytes 5-9/10')
})

it('trickles', async () => {
  const started = Date.now()
  expect(await get({ body, fault: { trickle: { bytes: 2, everyMs: 20 } } })).toMatchObject({ text: body })
  expect(Date.now() - started).toBeGreaterThan(70)
})

it.each<[string, Fault]>([
  ['cuts a body off', { cutAfter: 3 }],
  ['resets the connection', 'reset'],
])('%s', async (_, fault) => {
  await expect(get({ body, fault })).rejects.toThrow(/terminated|fetch failed/)
})

it.each<[string, Fault]>([
  ['stalls within a body', { stallAfter: 3 }],
  ['never answers', 'silent'],
])('%s', async (_, fault) => {
  await expect(get({ body, fault }, {}, 200)).rejects.toMatchObject({ name: 'TimeoutError' })
})
