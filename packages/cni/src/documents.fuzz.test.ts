import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { attempt, attemptAsync, fuzz, mutatedBytes, mutatedJson } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { afterAll, expect } from 'vitest'
import { parseNetworkList } from './network-list.ts'
import { ResultCache } from './result-cache.ts'

const list = {
  cniVersion: '1.0.0',
  name: 'bridge',
  disableCheck: false,
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/16' }]] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
}
const single = { cniVersion: '0.4.0', name: 'one', type: 'loopback' }
const entry = {
  kind: 'cniCacheV1',
  containerId: 'box',
  config: Buffer.from(JSON.stringify(list)).toString('base64'),
  ifName: 'eth0',
  networkName: 'bridge',
  capabilityArgs: { portMappings: [] },
  result: { cniVersion: '1.0.0', interfaces: [], ips: [{ address: '10.1.0.2/16' }] },
}
const text = (documents: readonly unknown[]) =>
  fc.oneof(
    mutatedJson(documents).map((value) => JSON.stringify(value)),
    mutatedBytes(documents.map((value) => JSON.stringify(value))).map(String),
  )

fuzz(
  'D15 a network that is accepted runs plugins of plain names, and is one part of a path',
  text([list, single]),
  (json) => {
    const { outcome, value } = attempt(() => parseNetworkList(json, 'test'))
    if (value === undefined) return outcome
    for (const name of [value.name, ...value.plugins.map(({ type }) => type)])
      expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/)
    expect(value.plugins.length).toBeGreaterThan(0)
    expect(value.cniVersion).toMatch(/^\d+\.\d+\.\d+$/)
    return outcome
  },
)

const directory = mkdtempSync(join(tmpdir(), 'nsbox-fuzz-'))
afterAll(() => rmSync(directory, { recursive: true }))
const connection = { containerId: 'box', ifName: 'eth0' }

fuzz('a result that was kept is that of its connection, or unknown', text([entry]), async (json) => {
  writeFileSync(join(directory, 'bridge-box-eth0'), json)
  const cache = new ResultCache(directory)
  const { outcome, value } = await attemptAsync(
    async () => (await cache.read('bridge', connection)) ?? 'unknown',
  )
  const listed = await attemptAsync(() => cache.connections('box'))
  expect(listed.outcome === 'accepted').toBe(outcome === 'accepted')
  if (value === undefined || value === 'unknown') return value ?? outcome
  expect(listed.value).toEqual([{ network: 'bridge', ifName: 'eth0' }])
  expect(typeof value.text).toBe('string')
  expect(JSON.parse(json).containerId).toBe('box')
  return outcome
})
