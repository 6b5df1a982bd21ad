import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** Bytes of a secret: 256 bits. */
const secretBytes = 32

/** Limits of a set of secrets. */
export interface SecretsOptions<T> {
  /** How many there are at once; a new one takes the place of the oldest. */
  readonly most: number
  /** Milliseconds that each is valid. */
  readonly lifetime: number
  /** Milliseconds on a clock that only goes forward. */
  readonly now?: (() => number) | undefined
  /** Called with the value of a secret that has made place for a new one. */
  readonly onEnd?: ((value: T) => void) | undefined
}

interface Secret<T> {
  readonly digest: Buffer
  readonly expires: number
  readonly value: T
}

/**
 * Secrets that were given out, each with a value, for as long as they are valid. Only their digests are kept, and all
 * are compared in constant time, so that nothing tells how near a guess was.
 */
export class Secrets<T> {
  readonly #options: Required<SecretsOptions<T>>
  #secrets: Secret<T>[] = []

  constructor({ most, lifetime, now, onEnd }: SecretsOptions<T>) {
    this.#options = { most, lifetime, now: now ?? (() => performance.now()), onEnd: onEnd ?? (() => {}) }
  }

  /** Makes a secret, in characters that a URL and a cookie can have. */
  issue(value: T): string {
    const { most, lifetime, now, onEnd } = this.#options
    const secret = randomBytes(secretBytes).toString('base64url')
    const valid = this.#valid()
    const replaced = Math.max(0, valid.length - most + 1)
    this.#secrets = [...valid.slice(replaced), { digest: digestOf(secret), expires: now() + lifetime, value }]
    for (const { value } of valid.slice(0, replaced)) onEnd(value)
    return secret
  }

  /** The value of a valid secret. */
  find(text: string): T | undefined {
    return this.#match(text)?.value
  }

  /** The value of a valid secret, which is not valid any more. */
  take(text: string): T | undefined {
    const match = this.#match(text)
    this.#secrets = this.#valid().filter((secret) => secret !== match)
    return match?.value
  }

  #valid(): Secret<T>[] {
    const now = this.#options.now()
    return this.#secrets.filter(({ expires }) => expires > now)
  }

  #match(text: string): Secret<T> | undefined {
    const digest = digestOf(text)
    return this.#valid().filter((secret) => timingSafeEqual(secret.digest, digest))[0]
  }
}

const digestOf = (text: string) => createHash('sha256').update(text).digest()
