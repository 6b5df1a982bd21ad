import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import type { KoffiFunc } from 'koffi'

type Koffi = typeof import('koffi')

/** What a C function takes: a number, a string or bytes to point to, or a null pointer. */
export type CArgument = number | string | Uint8Array | BigUint64Array | null

type CFunction = KoffiFunc<(...args: CArgument[]) => number>

let loaded: Koffi | undefined

/**
 * The FFI module. It is loaded by the first call and not by an import, since it has native code that is
 * missing on some platforms.
 */
export function koffi(): Koffi {
  if (loaded !== undefined) return loaded
  try {
    loaded = createRequire(import.meta.url)('koffi') as Koffi
    return loaded
  } catch (cause) {
    throw new NsboxError('unimplemented', `system calls on ${process.platform} ${process.arch}`, { cause })
  }
}

/**
 * Declares a function of the C library that returns a negative number and sets errno when it fails. An
 * interrupted call (EINTR) is made again.
 *
 * @param prototype in C, such as `int flock(int fd, int operation)`
 * @returns a function that returns what the call returned, or throws an NsboxError whose detail `errno` names
 * the error; it throws `invalid_argument` for a string that C or the file system would read as another one
 */
export function libcFunction(prototype: string): (...args: readonly CArgument[]) => number {
  const name = functionName(prototype)
  let call: CFunction | undefined
  return (...args) => {
    call ??= koffi().load(null).func(prototype)
    return callOf(name, call, args)
  }
}

/** As `libcFunction`, but the call is made by a thread of libuv's pool: for calls that may take long. */
export function libcFunctionInThread(prototype: string): (...args: readonly CArgument[]) => Promise<number> {
  const name = functionName(prototype)
  let call: CFunction | undefined
  return async (...args) => {
    const ffi = koffi()
    call ??= ffi.load(null).func(prototype)
    checkStrings(name, args)
    const { async: callInThread } = call
    for (;;) {
      const errno = await new Promise<number>((resolve, reject) => {
        // koffi brings the thread's errno along, for as long as the callback runs.
        callInThread(...args, (failure: unknown, result: number) => {
          if (failure) reject(failure)
          else resolve(result < 0 ? ffi.errno() : 0)
        })
      })
      if (errno === 0) return 0
      if (errno !== constants.errno.EINTR) throw systemError(name, errno)
    }
  }
}

/**
 * Declares a system call of Linux by its number, for calls that the C libraries still in use have no function
 * for.
 *
 * @param number the calls since Linux 5.0 have the same number on all architectures that Node.js runs on
 * @param parameters their types in C
 */
export function linuxSystemCall(
  name: string,
  number: number,
  parameters: readonly string[],
): (...args: readonly CArgument[]) => number {
  let call: CFunction | undefined
  return (...args) => {
    call ??= koffi()
      .load(null)
      .func('syscall', 'long', ['long', ...parameters])
    return callOf(name, call, [number, ...args])
  }
}

function callOf(name: string, call: CFunction, args: readonly CArgument[]): number {
  checkStrings(name, args)
  for (;;) {
    const result: number = call(...args)
    if (result >= 0) return result
    const errno = koffi().errno()
    if (errno !== constants.errno.EINTR) throw systemError(name, errno)
  }
}

function functionName(prototype: string): string {
  return prototype.slice(prototype.indexOf(' ') + 1, prototype.indexOf('('))
}

// C ends a string at NUL, and a lone surrogate has no form in UTF-8: the call would act on something else.
const inexpressible = /\0|\p{Surrogate}/u

function checkStrings(name: string, args: readonly CArgument[]): void {
  for (const arg of args)
    if (typeof arg === 'string' && inexpressible.test(arg))
      throw new NsboxError(
        'invalid_argument',
        `${name}: ${JSON.stringify(arg)} has characters that no C string has`,
      )
}

/** The error that an errno stands for. */
export function systemError(name: string, errno: number): unknown {
  const code = getSystemErrorName(-errno)
  return fromSystemError(Object.assign(new Error(code), { code, errno: -errno, syscall: name }), name)
}
