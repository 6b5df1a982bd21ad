import { createRequire } from 'node:module'
import { constants, endianness } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { fromSystemError, NsboxError } from '@nsbox/errors'
import type { KoffiFunc } from 'koffi'

type Koffi = typeof import('koffi')

/** Text for C: UTF-8 of a string, or bytes. Neither has a NUL, at which C would end it. */
export type CText = string | Uint8Array

/**
 * An argument of a C function: a number; text, for a parameter of type `const char *`; a pointer to an array, or to a
 * list of texts that ends with null; a null pointer.
 */
export type CArgument = number | bigint | CText | NodeJS.TypedArray | readonly (string | null)[] | null

/** Properties of a C function besides its prototype. */
export interface CFunctionOptions {
  /**
   * The number of the system call, for C libraries without a function for it. System calls since Linux 5.0 have the
   * same number on all architectures that Node.js runs on.
   */
  readonly systemCall?: number
  /** The platforms that have it, with the same values of its parameters; only Linux by default. */
  readonly platforms?: readonly NodeJS.Platform[]
}

const { EINTR } = constants.errno

/** Whether numbers in memory begin with their lowest byte. */
export const littleEndian: boolean = endianness() === 'LE'

let loaded: Koffi | undefined

/**
 * A function of the C library that returns a negative number and sets errno when it fails. It is looked up by the first
 * call, which throws `unimplemented` if there is no such function.
 *
 * An interrupted call (EINTR) is repeated. So close(2) must not be declared, since it has closed the descriptor anyway.
 */
export class CFunction {
  readonly name: string
  readonly #prototype: string
  readonly #options: CFunctionOptions
  readonly #hasTexts: boolean
  readonly #path: number
  readonly #texts: readonly boolean[]
  #function: KoffiFunc<(...args: CArgument[]) => number> | undefined

  /** @param prototype in C, such as `int fchmodat(int directory, const char *path, uint mode, int flags)` */
  constructor(prototype: string, options: CFunctionOptions = {}) {
    const [, name = '', parameters = ''] = /(\w+)\((.*)\)/.exec(prototype) ?? []
    const declared = parameters.split(', ')
    this.name = name
    this.#prototype = prototype
    this.#options = options
    this.#texts = declared.map((each) => each.includes('char *'))
    this.#hasTexts = this.#texts.includes(true)
    this.#path = declared.findIndex((each) => /\bpath$/.test(each))
  }

  /** @returns the result of the call, or the negated errno if that is negative */
  call(...args: readonly CArgument[]): number {
    const call = this.#function ?? this.#lookUp()
    const given = this.#hasTexts ? this.#encoded(args) : args
    for (;;) {
      const result: number = call(...given)
      if (result >= 0) return result
      const errno = loaded!.errno()
      if (errno !== EINTR) return -errno
    }
  }

  /**
   * As `call`, in a thread of libuv's pool: for calls that block. Memory that it points to must not change meanwhile.
   */
  async callInThread(...args: readonly CArgument[]): Promise<number> {
    const { async: call } = this.#function ?? this.#lookUp()
    const given = this.#hasTexts ? this.#encoded(args) : args
    for (;;) {
      const result = await new Promise<number>((resolve, reject) => {
        call(...given, (failure: unknown, returned: number) => {
          // koffi keeps the thread's errno while the callback runs.
          if (failure) reject(failure)
          else resolve(returned < 0 ? -loaded!.errno() : returned)
        })
      })
      if (result !== -EINTR) return result
    }
  }

  /** As `call`. @throws as `succeeded`, with the argument of the parameter named `path` */
  callOrThrow(...args: readonly CArgument[]): number {
    return this.succeeded(this.call(...args), args[this.#path] as CText | undefined)
  }

  /**
   * The result of a call that has not failed.
   * @param path the object of the call
   * @throws an error that names the call and the path, with the name of the system's error as its detail `errno`
   */
  succeeded(result: number, path?: CText): number {
    if (result >= 0) return result
    const code = getSystemErrorName(result)
    const failure = Object.assign(new Error(code), { code, errno: result, syscall: this.name })
    throw fromSystemError(failure, path === undefined ? this.name : `${this.name} ${quoted(path)}`)
  }

  #lookUp(): KoffiFunc<(...args: CArgument[]) => number> {
    const { platforms = ['linux'], systemCall } = this.#options
    if (!platforms.includes(process.platform))
      throw new NsboxError('unimplemented', `${this.name} on ${process.platform}`)
    const library = koffi().load(null)
    if (systemCall === undefined) {
      this.#function = this.#found(() => library.func(this.#prototype))
    } else {
      const call = library.func(this.#prototype.replace(/\w+\(/, 'syscall(long number, '))
      const numbered = (...args: CArgument[]): number => call(systemCall, ...args)
      this.#function = Object.assign(numbered, {
        async: (...args: unknown[]) => call.async(systemCall, ...args),
        info: call.info,
      })
    }
    return this.#function
  }

  #found<T>(find: () => T): T {
    try {
      return find()
    } catch (cause) {
      throw new NsboxError('unimplemented', `${this.name} of this C library`, { cause })
    }
  }

  #encoded(args: readonly CArgument[]): readonly CArgument[] {
    return args.map((arg, index) => {
      if (!this.#texts[index] || arg === null) return arg
      if (!Array.isArray(arg)) return cText(this.name, arg as CText)
      for (const text of arg) if (text !== null) cText(this.name, text)
      return arg
    })
  }
}

/** The address of bytes, for a structure that points to them; valid while they are referenced. */
export function addressOf(bytes: NodeJS.TypedArray): bigint {
  return koffi().address(bytes)
}

// UTF-8 cannot express a lone surrogate, and C would stop at a NUL, so the call would act on another name.
const inexpressible = /\0|\p{Surrogate}/u

/** Checks a text for a call. @throws `invalid_argument` if C or the file system would read it as another one */
function cText(name: string, text: CText): CText {
  if (typeof text === 'string' ? inexpressible.test(text) : text.includes(0))
    throw new NsboxError('invalid_argument', `${name}: ${quoted(text)} has characters that no C string has`)
  return typeof text === 'string' ? text : Buffer.concat([text, Buffer.of(0)])
}

function quoted(text: CText): string {
  return JSON.stringify(typeof text === 'string' ? text : Buffer.from(text).toString())
}

/** The FFI module, loaded on demand since its native code is missing on some platforms. */
function koffi(): Koffi {
  try {
    loaded ??= createRequire(import.meta.url)('koffi') as Koffi
    return loaded
  } catch (cause) {
    throw new NsboxError('unimplemented', `system calls on ${process.platform} ${process.arch}`, { cause })
  }
}
