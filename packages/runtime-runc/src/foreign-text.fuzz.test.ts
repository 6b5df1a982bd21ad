import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { OptionsSchema as AnyRuntimeOptionsSchema } from '@nsbox/api/gen/types/runtimeoptions/v1/api_pb'
import { errorCode } from '@nsbox/errors'
import { outputTarget } from '@nsbox/supervisor'
import { attempt, fuzz, mutatedBytes, mutatedJson, mutatedText } from '@nsbox/testing/fuzz'
import fc from 'fast-check'
import { expect } from 'vitest'
import { checkpointRequest } from './options/checkpoint-request.ts'
import { taskOptions } from './options/task-options.ts'
import { parseContainers, parseState } from './runc/container-state.ts'
import { lastError, lastLine } from './runc/runtime-log.ts'
import { parseVersion, versionWarning } from './runc/runtime-version.ts'

const options = packAny(OptionsSchema, {
  binaryName: 'runc',
  root: '/r',
  ioUid: 1,
  systemdCgroup: true,
  criuWorkPath: '/w',
})
const checkpoint = packAny(CheckpointOptionsSchema, { exit: true, imagePath: '/i', cgroupsMode: 'soft' })
const passedOn = packAny(AnyRuntimeOptionsSchema, { typeUrl: options.typeUrl, configBody: options.value })
const any = fc.record({
  typeUrl: fc.constantFrom(
    options.typeUrl,
    checkpoint.typeUrl,
    passedOn.typeUrl,
    `type.googleapis.com/${options.typeUrl}`,
    '',
    'x',
  ),
  value: mutatedBytes([options.value, checkpoint.value, passedOn.value], {
    dictionary: ['../', '/', '\0', '\xa0\x06\x01'],
  }),
})

fuzz(
  'options that are accepted name programs and absolute paths, or are refused as a whole',
  any,
  (value) => {
    const task = attempt(() => taskOptions(value))
    const request = attempt(() => checkpointRequest(value))
    const { root, criuImagePath, criuWorkPath, binary, ioUid } = task.value ?? { ioUid: 0 }
    for (const path of [root, criuImagePath, criuWorkPath, request.value?.imagePath, request.value?.workPath])
      if (path !== undefined) expect(path).toMatch(/^\/[^\0]*$/)
    if (binary !== undefined) expect(binary).not.toMatch(/\0|^$|^\.\.?\//)
    expect(Number.isInteger(ioUid) && ioUid >= 0 && ioUid < 2 ** 32).toBe(true)
    return task.value !== undefined || request.value !== undefined ? 'accepted' : task.outcome
  },
)

/** Output of a runtime that cannot be parsed is the runtime's fault: its errors are `unknown`. */
function told<T>(read: () => T): T | 'unknown' {
  try {
    return read()
  } catch (error) {
    expect(errorCode(error)).toBe('unknown')
    expect(error).toHaveProperty('context')
    return 'unknown'
  }
}

const state = {
  ociVersion: '1.2.0',
  id: 'a',
  pid: 12,
  status: 'running',
  bundle: '/b',
  rootfs: '/r',
  annotations: {},
}
const printed = fc.oneof(
  mutatedJson([state, [state, state], null]).map((value) => JSON.stringify(value)),
  mutatedText([JSON.stringify(state), JSON.stringify([state])]),
)

fuzz('what a runtime tells of containers has an id, a state and a number', printed, (text) => {
  const one = told(() => parseState(text))
  const list = told(() => parseContainers(text))
  for (const container of [...(one === 'unknown' ? [] : [one]), ...(list === 'unknown' ? [] : list)]) {
    expect(typeof container.id === 'string' && typeof container.bundle === 'string').toBe(true)
    expect(['creating', 'created', 'running', 'stopped', 'paused']).toContain(container.status)
    expect(Number.isInteger(container.pid) && container.pid >= 0 && container.pid < 2 ** 31).toBe(true)
  }
  return one === 'unknown' && list === 'unknown' ? 'unknown' : 'accepted'
})

const said = mutatedText([
  'runc version 1.1.15+ds1\ncommit: 1.1.15+ds1-2+b4\nspec: 1.2.0\ngo: go1.24.4\nlibseccomp: 2.6.0\n',
  'crun version 1.19\ncommit: abc\nspec: 1.0.0\n',
  '{"level":"error","msg":"no such container","time":"x"}\n{"level":"info","msg":"x"}\n',
])

fuzz('what a runtime says of itself is short, or nothing', said, (text) => {
  const version = told(() => parseVersion(text))
  if (version !== 'unknown') {
    expect(version.version).toMatch(/^\S+$/)
    versionWarning(version)
  }
  for (const line of [lastError(text), lastLine(text)]) expect(line?.length ?? 0).toBeLessThanOrEqual(4097)
  return version === 'unknown' ? 'unknown' : 'accepted'
})

const uri = mutatedText(
  ['fifo:///a/b', 'file:///var/log/x?y', 'binary:///usr/bin/logger?id=1&x', 'binary-v2:///l', '/plain', ''],
  {
    most: 3,
    dictionary: ['%2f', '%00', '%', '..', '//', 'file://host/', '#', '@', '\n', 'http:'],
  },
)

fuzz('B09 output goes to an absolute path of this host, or nowhere', uri, (text) => {
  const { outcome, value } = attempt(() => outputTarget(text))
  if (value === undefined) return outcome
  if (value.kind === 'nothing') expect(text).toBe('')
  else {
    const path = value.kind === 'logger' ? value.program : value.path
    expect(path).toMatch(/^\//)
    // A path is kept as it is; the path of a URI is decoded.
    if (text.startsWith('/')) expect(path).toBe(text)
    else expect(decodeURIComponent(text.replace(/[?#].*$/s, ''))).toContain(path)
  }
  if (value.kind === 'file' || value.kind === 'logger') expect(text).toMatch(/^(?:file|binary|binary-v2):/i)
  return outcome
})
