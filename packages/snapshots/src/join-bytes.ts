const slash = Buffer.from('/')

/** A path within a directory, where names need not be UTF-8. */
export function joinBytes(directory: Buffer, name: Uint8Array): Buffer {
  return Buffer.concat([directory, slash, name])
}
