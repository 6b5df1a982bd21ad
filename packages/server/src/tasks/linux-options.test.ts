import { packAny, unpackAny } from '@nsbox/api'
import {
  CreateOptionsSchema,
  CheckpointOptionsSchema as LinuxCheckpointOptionsSchema,
  RuncOptionsSchema,
} from '@nsbox/api/gen/types/linux/runc_pb'
import { CheckpointOptionsSchema, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { errorCode } from '@nsbox/errors'
import { expect, test } from 'vitest'
import { optionsOfCheckpoint, optionsOfTask } from './linux-options.ts'

const program = { runtime: 'crun', runtimeRoot: '/root', systemdCgroup: true }
const container = packAny(RuncOptionsSchema, program)
const task = packAny(CreateOptionsSchema, {
  noPivotRoot: true,
  noNewKeyring: true,
  ioUid: 1,
  shimCgroup: '/c',
})
const options = packAny(OptionsSchema, { binaryName: 'runc', ioGid: 3 })

const read = (...given: Parameters<typeof optionsOfTask>) =>
  unpackAny(OptionsSchema, optionsOfTask(...given)!)

test('options of the first runtime are put together from those of the container and of the task', () => {
  const ofContainer = { binaryName: 'crun', root: '/root', systemdCgroup: true }
  const ofTask = { noPivotRoot: true, noNewKeyring: true, ioUid: 1, shimCgroup: '/c' }
  expect(read(undefined, container)).toMatchObject(ofContainer)
  expect(read(task, undefined)).toMatchObject({ ...ofTask, binaryName: '' })
  expect(read(task, container)).toMatchObject({ ...ofContainer, ...ofTask })
  expect(read(task, options)).toMatchObject({ ...ofTask, binaryName: 'runc' })
})

test('other options stay as they are, and those of the task count', () => {
  expect(optionsOfTask(options, container)).toBe(options)
  expect(optionsOfTask(undefined, options)).toBe(options)
  expect(optionsOfTask(undefined, undefined)).toBeUndefined()
  expect(optionsOfCheckpoint(options)).toBe(options)
})

test('options of a checkpoint are read whole', () => {
  const fields = {
    exit: true,
    imagePath: '/i',
    workPath: '/w',
    cgroupsMode: 'soft',
    emptyNamespaces: ['network'],
  }
  const given = packAny(LinuxCheckpointOptionsSchema, fields)
  expect(unpackAny(CheckpointOptionsSchema, optionsOfCheckpoint(given)!)).toMatchObject(fields)
})

test.each([
  packAny(RuncOptionsSchema, { criuPath: '/criu' }),
  packAny(CreateOptionsSchema, { openTcp: true }),
  packAny(CreateOptionsSchema, { emptyNamespaces: ['network'] }),
  { typeUrl: RuncOptionsSchema.typeName, value: Uint8Array.of(0xa0, 0x06, 0x01) },
])('an option that would be ignored is refused: %#', (given) => {
  const refusal = (...both: Parameters<typeof optionsOfTask>) => {
    try {
      return optionsOfTask(...both)
    } catch (error) {
      return errorCode(error)
    }
  }
  const isTasks = given.typeUrl === CreateOptionsSchema.typeName
  expect(isTasks ? refusal(given, undefined) : refusal(undefined, given)).toBe('invalid_argument')
})
