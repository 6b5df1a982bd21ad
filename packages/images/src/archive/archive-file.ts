/** What an archive of images holds under one name; names are spelled as `archiveName` does. */
export type ArchiveFile =
  | {
      readonly kind: 'file'
      readonly name: string
      /** Bytes. */
      readonly size: number
      /** To be read before the next file is asked for, at most once. */
      readonly content: AsyncIterable<Uint8Array>
    }
  | {
      readonly kind: 'link'
      readonly name: string
      /** The name that it stands for; undefined if that is outside of the archive. */
      readonly target: string | undefined
    }
