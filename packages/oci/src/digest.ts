import { createHash, type Hash } from 'node:crypto'
import { NsboxError, quoted } from '@nsbox/errors'

/** The hash functions that nsbox verifies content with. */
export type DigestAlgorithm = 'sha256' | 'sha512'

/** `algorithm:hex`. Texts become digests only by `parseDigest`, never by a cast. */
export type Digest = `${DigestAlgorithm}:${string}`

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** Whether `text` is a digest that nsbox can verify: sha256 or sha512, in lower-case hex of exactly its length. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === 'string' && text.length <= 135 && pattern.test(text)
}

/**
 * Reads a digest from outside. The result is safe as part of a path or URL.
 *
 * @throws `invalid_argument` naming the text
 */
export function parseDigest(text: unknown): Digest {
  assertDigest(text)
  return text
}

/** `parseDigest` as an assertion. */
export function assertDigest(text: unknown): asserts text is Digest {
  if (!isDigest(text)) throw new NsboxError('invalid_argument', `invalid digest ${quoted(text)}`)
}

/** The part before the colon. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The part after the colon. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/** Computes a digest over bytes that arrive in pieces. */
export interface Hasher {
  readonly algorithm: DigestAlgorithm
  update(bytes: Uint8Array): void
  /** The digest of everything so far; more bytes may follow. */
  digest(): Digest
  /** A copy of the hasher with the same state. */
  clone(): Hasher
}

/** @param algorithm sha256 by default */
export function createHasher(algorithm: DigestAlgorithm = 'sha256'): Hasher {
  return hasherOver(createHash(algorithm), algorithm)
}

function hasherOver(hash: Hash, algorithm: DigestAlgorithm): Hasher {
  return {
    algorithm,
    update(bytes) {
      hash.update(bytes)
    },
    digest: () => `${algorithm}:${hash.copy().digest('hex')}`,
    clone: () => hasherOver(hash.copy(), algorithm),
  }
}

/** The digest of bytes, or of a text's UTF-8 encoding. */
export function digestOf(content: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}`
}
