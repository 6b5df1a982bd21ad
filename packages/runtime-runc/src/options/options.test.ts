import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema, OptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { OptionsSchema as AnyRuntimeOptionsSchema } from '@nsbox/api/gen/types/runtimeoptions/v1/api_pb'
import { describe, expect, test } from 'vitest'
import { checkpointRequest } from './checkpoint-request.ts'
import { taskOptions } from './task-options.ts'

const invalid = expect.objectContaining({ code: 'invalid_argument' })

/** Field 100, a number. */
const later = Uint8Array.of(0xa0, 0x06, 0x01)

describe('taskOptions', () => {
  const options = (fields: Parameters<typeof packAny<typeof OptionsSchema>>[1]) =>
    packAny(OptionsSchema, fields)

  test('are the defaults where there are none', () => {
    const defaults = taskOptions(undefined)
    expect(defaults).toMatchObject({ systemdCgroup: false, binary: undefined, root: undefined, ioUid: 0 })
    expect(taskOptions({ typeUrl: '', value: new Uint8Array() })).toEqual(defaults)
    expect(taskOptions(options({}))).toEqual(defaults)
    expect(taskOptions(packAny(AnyRuntimeOptionsSchema, {}))).toEqual(defaults)
  })

  const all = {
    noPivotRoot: true,
    noNewKeyring: true,
    shimCgroup: '/a/b',
    ioUid: 1,
    ioGid: 2,
    root: '/root',
    systemdCgroup: true,
    criuImagePath: '/i',
    criuWorkPath: '/w',
  }

  test('are read whole, also from within options for any runtime', () => {
    const packed = options({ ...all, binaryName: 'crun' })
    expect(taskOptions(packed)).toEqual({ ...all, binary: 'crun' })
    expect(taskOptions({ ...packed, typeUrl: `type.googleapis.com/${packed.typeUrl}` }).binary).toBe('crun')
    const passedOn = packAny(AnyRuntimeOptionsSchema, { typeUrl: packed.typeUrl, configBody: packed.value })
    expect(taskOptions(passedOn)).toEqual({ ...all, binary: 'crun' })
  })

  test.each([
    options({ binaryName: '../runc' }),
    options({ binaryName: 'a\0' }),
    options({ root: 'relative' }),
    options({ root: '/a\0b' }),
    options({ criuWorkPath: 'x' }),
    options({ shimCgroup: '/a/../b' }),
    options({ taskApiAddress: 'unix:///x' }),
    options({ taskApiVersion: 3 }),
    { typeUrl: OptionsSchema.typeName, value: later },
    { typeUrl: OptionsSchema.typeName, value: Uint8Array.of(0xff) },
    { typeUrl: 'io.containerd.runhcs.v1.Options', value: new Uint8Array() },
    { typeUrl: '', value: later },
    { typeUrl: AnyRuntimeOptionsSchema.typeName, value: later },
    packAny(AnyRuntimeOptionsSchema, { configPath: '/etc/runc.toml' }),
    packAny(AnyRuntimeOptionsSchema, { typeUrl: 'other.Options' }),
    packAny(AnyRuntimeOptionsSchema, { configBody: later }),
    packAny(AnyRuntimeOptionsSchema, { typeUrl: OptionsSchema.typeName, configBody: later }),
  ])('that cannot be are refused: %#', (value) => {
    expect(() => taskOptions(value)).toThrow(invalid)
  })
})

describe('checkpointRequest', () => {
  const options = (fields: Parameters<typeof packAny<typeof CheckpointOptionsSchema>>[1]) =>
    packAny(CheckpointOptionsSchema, fields)

  test('lets the processes go on where nothing is said', () => {
    expect(checkpointRequest(undefined)).toMatchObject({ leaveRunning: true, imagePath: undefined })
    expect(checkpointRequest({ typeUrl: '', value: new Uint8Array() })).toEqual(
      checkpointRequest(options({})),
    )
  })

  test('is read whole', () => {
    expect(
      checkpointRequest(
        options({
          exit: true,
          openTcp: true,
          externalUnixSockets: true,
          terminal: true,
          fileLocks: true,
          emptyNamespaces: ['network'],
          cgroupsMode: 'strict',
          imagePath: '/i',
          workPath: '/w',
        }),
      ),
    ).toEqual({
      leaveRunning: false,
      tcpEstablished: true,
      externalUnixSockets: true,
      shellJob: true,
      fileLocks: true,
      emptyNamespaces: ['network'],
      cgroupsMode: 'strict',
      imagePath: '/i',
      workPath: '/w',
    })
  })

  test.each([
    options({ imagePath: 'relative' }),
    options({ cgroupsMode: 'other' }),
    options({ emptyNamespaces: ['--x'] }),
    { typeUrl: CheckpointOptionsSchema.typeName, value: later },
    { typeUrl: OptionsSchema.typeName, value: new Uint8Array() },
  ])('that cannot be is refused: %#', (value) => {
    expect(() => checkpointRequest(value)).toThrow(invalid)
  })
})
