import { quoted } from '@nsbox/errors'
/**
 * A string with one character per byte. Names in archives are bytes in no known encoding; as such strings they compare,
 * split and serve as keys without loss.
 */
export type ByteString = string

/** For messages and results: as UTF-8, with replacement characters for invalid bytes. */
export function readable(bytes: ByteString): string {
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** The details of an error about an entry of an archive. */
export function entryDetails(name: ByteString): { readonly entry: string } {
  return { entry: readable(name).slice(0, 4096) }
}

/** A name in quotes and of bounded length, for an error. */
export function quotedName(bytes: ByteString): string {
  return quoted(readable(bytes))
}
