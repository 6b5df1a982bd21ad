import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '@nsbox/errors'

/** The largest number of 64 bits, which means no limit. */
export const noLimit = 2n ** 64n - 1n

/** Errors of the kernel for a file that it does not have, a cgroup that is gone, or a part that is switched off. */
const absent = ['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP']

/**
 * Reads the files of a cgroup's directory, on the calling thread: the kernel makes them from memory in a few
 * microseconds each, where a thread of the pool takes 250.
 */
export class CgroupFiles {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The text of a file; undefined if the kernel does not have it. */
  text(name: string): string | undefined {
    try {
      return readFileSync(join(this.#directory, name), 'utf8')
    } catch (error) {
      if (absent.some((errno) => isErrno(error, errno))) return undefined
      throw error
    }
  }

  /** The number in a file; `noLimit` for `max`. Undefined if there is no such file, or no number in it. */
  number(name: string): bigint | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : parseNumber(text.trim())
  }

  /** The numbers of a file with one key and number in each line; undefined if there is no such file. */
  keyed(name: string): KeyedNumbers | undefined {
    const text = this.text(name)
    return text === undefined ? undefined : parseKeyed(text)
  }

  names(): string[] {
    try {
      return readdirSync(this.#directory)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return []
      throw error
    }
  }
}

/** Numbers by key; 0 for a key that is not there. */
export type KeyedNumbers = (key: string) => bigint

/** Reads lines of a key and a number; other lines, as of later kernels, are skipped. */
export function parseKeyed(text: string): KeyedNumbers {
  const numbers = new Map<string, bigint>()
  for (const line of text.split('\n')) {
    const [key, value, ...rest] = line.trim().split(/\s+/)
    if (value === undefined || rest.length > 0) continue
    const number = parseNumber(value)
    if (number !== undefined) numbers.set(key!, number)
  }
  return (key) => numbers.get(key) ?? 0n
}

/** A number as the kernel prints it: `max` is `noLimit`; a negative one, which may appear for a moment, is 0. */
export function parseNumber(text: string): bigint | undefined {
  if (text === 'max') return noLimit
  if (/^-\d+$/.test(text)) return 0n
  return /^\d+$/.test(text) ? BigInt.asUintN(64, BigInt(text)) : undefined
}
