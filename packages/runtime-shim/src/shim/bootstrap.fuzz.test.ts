import { attempt, fuzz, mutatedBytes, mutatedJson } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { parseBootstrap } from './bootstrap.ts'

const lines = ['unix:///run/containerd/s/0f5e', '@abstract/socket', '/an/abstract/one\n']
const documents = [
  { version: 3, address: 'unix:///run/containerd/s/0f5e', protocol: 'ttrpc' },
  { version: 2, address: 'abstract', protocol: 'TTRPC' },
]

fuzz(
  'what a shim says of itself leads to a socket that has a path of the system, or is refused',
  fc.oneof(
    mutatedBytes(lines).map(String),
    mutatedJson(documents).map((value) => JSON.stringify(value)),
  ),
  (text) => {
    const { outcome, value } = attempt(() => parseBootstrap(text))
    if (value === undefined) return outcome
    expect([2, 3]).toContain(value.version)
    expect(value.path).toMatch(/^[/\0]/)
    expect(value.path.slice(1)).not.toMatch(/[\0\n]/)
    expect(Buffer.byteLength(value.path)).toBeLessThan(108)
    return outcome
  },
)
