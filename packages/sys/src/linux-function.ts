import { constants } from 'node:os'
import { NsboxError } from '@nsbox/errors'
import type { KoffiFunc } from 'koffi'
import { koffi, systemError } from './libc.ts'

type Argument = number | bigint | Uint8Array | null

type LinuxFunction = KoffiFunc<(...args: Argument[]) => number>

/**
 * Declares a function of the C library of Linux. Strings are given as bytes that end with NUL.
 *
 * @param prototype in C
 * @returns a function that returns what the call returned, or the negated errno where that is negative; an interrupted
 * call is made again. Elsewhere than on Linux it throws `unimplemented`.
 */
export function linuxFunction(prototype: string): (...args: readonly Argument[]) => number {
  const declared = declare(prototype)
  return (...args) => {
    const call = declared()
    for (;;) {
      const result: number = call(...args)
      if (result >= 0) return result
      const errno = koffi().errno()
      if (errno !== constants.errno.EINTR) return -errno
    }
  }
}

/** As `linuxFunction`, but a thread of libuv's pool makes the call: for calls that wait. */
export function linuxFunctionInThread(prototype: string): (...args: readonly Argument[]) => Promise<number> {
  const declared = declare(prototype)
  return async (...args) => {
    const { async: call } = declared()
    const ffi = koffi()
    for (;;) {
      const result = await new Promise<number>((resolve, reject) => {
        call(...args, (failure: unknown, returned: number) => {
          // koffi brings the thread's errno along, for as long as the callback runs.
          if (failure) reject(failure)
          else resolve(returned < 0 ? -ffi.errno() : returned)
        })
      })
      if (result !== -constants.errno.EINTR) return result
    }
  }
}

/** The result of a call that has not failed. @throws the error with the detail `errno` */
export function succeeded(name: string, result: number): number {
  if (result >= 0) return result
  throw systemError(name, -result)
}

function declare(prototype: string): () => LinuxFunction {
  let call: LinuxFunction | undefined
  return () => {
    if (process.platform !== 'linux')
      throw new NsboxError('unimplemented', `${nameOf(prototype)} on ${process.platform}`)
    call ??= koffi().load(null).func(prototype)
    return call
  }
}

function nameOf(prototype: string): string {
  return /\w+(?=\()/.exec(prototype)?.[0] ?? prototype
}
