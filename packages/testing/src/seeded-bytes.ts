import { createCipheriv, createHash } from 'node:crypto'

/**
 * Bytes that look random and are the same for the same seed; they do not compress.
 *
 * @param length how many; read piecewise, so that any length costs little memory
 */
export function* seededBytes(seed: string | number, length: number): Generator<Uint8Array> {
  const key = createHash('sha256').update(String(seed)).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(256 * 1024)
  for (let left = length; left > 0; left -= zeros.length)
    yield cipher.update(left < zeros.length ? zeros.subarray(0, left) : zeros)
}
