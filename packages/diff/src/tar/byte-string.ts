import { quoted } from '@nsbox/errors'
/**
 * A string with one character per byte. Names in archives are bytes in no known encoding; as such strings they compare,
 * split and serve as keys without loss.
 */
export type ByteString = string

/** For messages and results: as UTF-8 where it is that, with replacement characters where it is not. */
export function readable(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** A name in quotes and of bounded length, for an error. */
export function quotedName(bytes: ByteString): string {
  return quoted(readable(bytes))
}
