import { closeSync, constants, openSync } from 'node:fs'
import { fromSystemError, isNsboxError, NsboxError } from '@nsbox/errors'
import { CFunction, littleEndian } from '../c-function.ts'

// linux/loop.h
const LOOP_CTL_GET_FREE = 0x4c82
const LOOP_CONFIGURE = 0x4c0a
const LOOP_SET_STATUS64 = 0x4c04
const LOOP_GET_STATUS64 = 0x4c05
const flagBits = { readOnly: 1, autoclear: 4, directIo: 16 } as const

/** Size of `struct loop_config`, offset of its `struct loop_info64`, and size of that. */
const configSize = 304
const infoOffset = 8
const infoSize = 232
/** Offsets in a `struct loop_info64` of the flags, and of the file's name, which is only informative. */
const flagsOffset = 52
const nameOffset = 56
const maxName = 63

/** Another process may take a free device first. */
const maxAttempts = 64

const ioctl = new CFunction('int ioctl(int fd, ulong request, void *argument)')

/** How to attach a file to a block device. */
export interface LoopDeviceOptions {
  /** False by default. */
  readonly readOnly?: boolean | undefined
  /** Whether reads and writes bypass the page cache of the file; false by default. */
  readonly directIo?: boolean | undefined
}

/** An open block device of a file. It is removed when it is neither open nor mounted, unless it is kept. */
export interface LoopDevice extends Disposable {
  /** `/dev/loopN` */
  readonly path: string
  /** Sets whether it stays when it is unused. */
  keep(kept: boolean): void
}

/**
 * Makes a file a block device (loop(4)); Linux 5.8.
 *
 * @throws as opening the file; `unimplemented` on a kernel without loop devices
 */
export function attachLoopDevice(file: string, options: LoopDeviceOptions = {}): LoopDevice {
  const { readOnly = false, directIo = false } = options
  const backing = opened(file, readOnly ? constants.O_RDONLY : constants.O_RDWR)
  try {
    const config = Buffer.alloc(configSize)
    writeNumber(config, backing, 0)
    const flags = flagBits.autoclear | (readOnly ? flagBits.readOnly : 0) | (directIo ? flagBits.directIo : 0)
    writeNumber(config, flags, infoOffset + flagsOffset)
    Buffer.from(file).copy(config, infoOffset + nameOffset, 0, maxName)
    return configured(config)
  } finally {
    closeSync(backing)
  }
}

/** Opens an existing loop device by its path. @throws as opening it; `not_found` if it has no file */
export function openLoopDevice(path: string): LoopDevice {
  const device = opened(path, constants.O_RDONLY)
  try {
    ioctl.callOrThrow(device, LOOP_GET_STATUS64, Buffer.alloc(infoSize))
  } catch (error) {
    closeSync(device)
    throw isNsboxError(error) && error.details.errno === 'ENXIO'
      ? new NsboxError('not_found', `file of ${path}`, { cause: error })
      : error
  }
  return handle(path, device)
}

function configured(config: Buffer): LoopDevice {
  const control = opened('/dev/loop-control', constants.O_RDWR)
  try {
    for (let attempt = 1; ; attempt++) {
      const path = `/dev/loop${ioctl.callOrThrow(control, LOOP_CTL_GET_FREE, null)}`
      const device = opened(path, constants.O_RDWR)
      try {
        ioctl.callOrThrow(device, LOOP_CONFIGURE, config)
        return handle(path, device)
      } catch (error) {
        closeSync(device)
        const isTaken = isNsboxError(error) && error.details.errno === 'EBUSY'
        if (!isTaken || attempt >= maxAttempts) throw error
      }
    }
  } finally {
    closeSync(control)
  }
}

function handle(path: string, device: number): LoopDevice {
  return {
    path,
    keep(kept) {
      const info = Buffer.alloc(infoSize)
      ioctl.callOrThrow(device, LOOP_GET_STATUS64, info)
      const flags = new DataView(info.buffer, info.byteOffset, infoSize)
      const now = flags.getUint32(flagsOffset, littleEndian)
      const wanted = kept ? now & ~flagBits.autoclear : now | flagBits.autoclear
      flags.setUint32(flagsOffset, wanted, littleEndian)
      ioctl.callOrThrow(device, LOOP_SET_STATUS64, info)
    },
    [Symbol.dispose]: () => closeSync(device),
  }
}

function writeNumber(bytes: Buffer, value: number, offset: number): void {
  if (littleEndian) bytes.writeUInt32LE(value, offset)
  else bytes.writeUInt32BE(value, offset)
}

function opened(path: string, flags: number): number {
  try {
    return openSync(path, flags)
  } catch (error) {
    throw fromSystemError(error, `opening ${JSON.stringify(path)}`)
  }
}
