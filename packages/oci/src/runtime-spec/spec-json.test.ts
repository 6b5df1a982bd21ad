import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeSpec,
  maxSpecSize,
  parseProcess,
  parseResources,
  parseSeccompProfile,
  parseSpec,
} from './spec-json.ts'
import { buildSpec } from './spec-option.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (spec: Parameters<typeof encodeSpec>[0]) => new TextDecoder().decode(encodeSpec(spec))

const refusal = (field: string) =>
  expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(field) })

describe('parseSpec', () => {
  it('keeps what it does not know, at every level, through options as well', () => {
    const odd =
      '{"ociVersion":"1.3.0","process":{"user":{"uid":1,"gid":2,"new":1},"cwd":"/","args":["a"],' +
      '"scheduler":{"policy":"x"}},"root":{"path":"r","new":null},"linux":{"timeOffsets":{"boottime":{"secs":1}},' +
      '"resources":{"memory":{"new":2}}},"vm":{"a":[1]}}'
    expect(text(parseSpec(bytes(odd)))).toBe(odd)
    expect(text(buildSpec(parseSpec(bytes(odd)), []))).toBe(odd)
  })

  it('keeps integers that a double cannot hold', () => {
    const spec = parseSpec(
      bytes(
        '{"ociVersion":"1.0.0","process":{"cwd":"/","rlimits":' +
          '[{"type":"RLIMIT_CPU","hard":18446744073709551615,"soft":1}]},"new":-9007199254740993}',
      ),
    )
    expect(spec.process?.rlimits?.[0]).toEqual({ type: 'RLIMIT_CPU', hard: 2n ** 64n - 1n, soft: 1 })
    expect(text(spec)).toContain('"hard":18446744073709551615,"soft":1')
    expect(text(spec)).toContain('"new":-9007199254740993')
  })

  it('reads what Go writes for nothing', () => {
    const spec = parseSpec(
      bytes('{"ociVersion":"1.0.0","mounts":null,"process":{"user":{},"cwd":"/","env":null}}'),
    )
    expect(spec).toEqual({ ociVersion: '1.0.0', process: { user: { uid: 0, gid: 0 }, cwd: '/' } })
    expect(parseSpec(bytes('{"ociVersion":"1.0.0","windows":{"layerFolders":null}}')).windows).toEqual({
      layerFolders: null,
    })
  })

  it.each([
    ['{"ociVersion":1}', 'spec: ociVersion: not a string'],
    ['{}', 'spec: ociVersion: is missing'],
    ['{"ociVersion":"1.0.0","Process":{}}', 'is not spelled "process"'],
    [
      '{"ociVersion":"1.0.0","process":{"cwd":"/","ARGS":[]}}',
      'spec: process: key "ARGS" is not spelled "args"',
    ],
    ['{"ociVersion":"1.0.0","ociVersion":"1.0.0"}', 'twice'],
    ['{"ociVersion":"1.0.0","process":{}}', 'spec: process.cwd: is missing'],
    ['{"ociVersion":"1.0.0","process":{"cwd":"/","env":["A",1]}}', 'spec: process.env[1]: not a string'],
    ['{"ociVersion":"1.0.0","mounts":[{}]}', 'spec: mounts[0].destination: is missing'],
    ['{"ociVersion":"1.0.0","annotations":{"a":1}}', 'spec: annotations["a"]: not a string'],
    [
      '{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":4294967296}}}',
      'uid: not an integer of 32 bits',
    ],
    ['{"ociVersion":"1.0.0","process":{"cwd":"/","user":{"uid":1.5}}}', 'uid: not an integer'],
    ['{"ociVersion":"1.0.0","process":{"cwd":"/","terminal":"yes"}}', 'terminal: not a boolean'],
    ['{"ociVersion":"1.0.0","linux":{"resources":{"memory":{"limit":18446744073709551616}}}}', '64 bits'],
    ['{"ociVersion":"1.0.0","linux":[]}', 'spec: linux: not an object'],
    ['[]', 'not an object'],
    ['', 'malformed JSON'],
  ])('refuses %s', (json, field) => {
    expect(() => parseSpec(bytes(json))).toThrow(refusal(field))
  })

  it('refuses more than its limit', () => {
    expect(() => parseSpec(new Uint8Array(maxSpecSize + 1).fill(32))).toThrow(refusal('more than'))
  })

  it('gives a key __proto__ no power', () => {
    const spec = parseSpec(
      bytes('{"ociVersion":"1.0.0","__proto__":{"hostname":"x"},"annotations":{"__proto__":"y"}}'),
    )
    expect(spec.hostname).toBeUndefined()
    expect(text(spec)).toBe(
      '{"ociVersion":"1.0.0","__proto__":{"hostname":"x"},"annotations":{"__proto__":"y"}}',
    )
  })
})

it('reads the parts that come alone', () => {
  expect(parseProcess(bytes('{"cwd":"/","args":["a"]}'))).toEqual({
    user: { uid: 0, gid: 0 },
    cwd: '/',
    args: ['a'],
  })
  expect(() => parseProcess(bytes('{"cwd":1}'))).toThrow(refusal('process: cwd: not a string'))
  expect(parseResources(bytes('{"memory":{"limit":9223372036854775807}}'))).toEqual({
    memory: { limit: 2n ** 63n - 1n },
  })
  expect(() => parseResources(bytes('{"pids":{}}'))).toThrow(refusal('resources: pids.limit: is missing'))
  expect(parseSeccompProfile(bytes('{"defaultAction":"SCMP_ACT_ALLOW"}'))).toEqual({
    defaultAction: 'SCMP_ACT_ALLOW',
  })
  expect(() => parseSeccompProfile(bytes('{}'))).toThrow(
    refusal('seccomp profile: defaultAction: is missing'),
  )
})

it('writes any JSON as JSON.stringify does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const spec = { ociVersion: '1.0.0', other: value, nothing: undefined, list: [undefined] }
      expect(text(spec as Parameters<typeof encodeSpec>[0])).toBe(JSON.stringify(spec))
    }),
  )
})

it('refuses a filter whose rules have conditions that the runtime would not see', () => {
  const profile = (rule: object) =>
    bytes(
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ERRNO',
        syscalls: [{ names: ['mount'], action: 'SCMP_ACT_ALLOW', ...rule }],
      }),
    )
  expect(parseSeccompProfile(profile({ includes: {}, excludes: {}, comment: '' })).syscalls).toHaveLength(1)
  expect(() => parseSeccompProfile(profile({ includes: { caps: ['CAP_SYS_ADMIN'] } }))).toThrow(
    refusal('seccomp profile: syscalls[0].includes'),
  )
  expect(() => parseSeccompProfile(profile({ action: 'ALLOW' }))).toThrow(refusal('syscalls[0].action'))
})
