import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { fromSystemError, NsboxError } from '@nsbox/errors'

type Koffi = typeof import('koffi')

let loaded: Koffi | undefined

/**
 * The FFI module. It is loaded by the first call and not by an import, since it has native code that is missing on
 * some platforms.
 */
function koffi(): Koffi {
  if (loaded !== undefined) return loaded
  try {
    loaded = createRequire(import.meta.url)('koffi') as Koffi
    return loaded
  } catch (cause) {
    throw new NsboxError('unimplemented', `system calls on ${process.platform} ${process.arch}`, { cause })
  }
}

/**
 * Declares a function of the C library that returns a negative number and sets errno when it fails. An interrupted
 * call (EINTR) is made again.
 *
 * @param prototype in C, such as `int flock(int fd, int operation)`
 * @returns a function that returns what the call returned, or throws an NsboxError whose detail `errno` names the error
 */
export function libcFunction(prototype: string): (...args: readonly number[]) => number {
  const name = prototype.slice(prototype.indexOf(' ') + 1, prototype.indexOf('('))
  let call: ((...args: readonly number[]) => number) | undefined
  return (...args) => {
    const ffi = koffi()
    call ??= ffi.load(null).func(prototype) as (...args: readonly number[]) => number
    for (;;) {
      const result = call(...args)
      if (result >= 0) return result
      const errno = ffi.errno()
      if (errno !== constants.errno.EINTR) throw systemError(name, errno)
    }
  }
}

function systemError(name: string, errno: number): unknown {
  const code = getSystemErrorName(-errno)
  return fromSystemError(Object.assign(new Error(code), { code, errno: -errno, syscall: name }), name)
}
