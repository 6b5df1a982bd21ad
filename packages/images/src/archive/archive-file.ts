/** An entry of an archive of images; names are in the form of `archiveName`. */
export type ArchiveFile =
  | {
      readonly kind: 'file'
      readonly name: string
      /** Bytes. */
      readonly size: number
      /** Must be read before the next file is requested, at most once. */
      readonly content: AsyncIterable<Uint8Array>
    }
  | {
      readonly kind: 'link'
      readonly name: string
      /** The name that the link leads to; undefined if that is outside of the archive. */
      readonly target: string | undefined
    }
