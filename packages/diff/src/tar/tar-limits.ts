/** Limits of an archive, so that a hostile one cannot exhaust memory. */
export interface TarLimits {
  /** Headers in all, extended ones included; 2,000,000 by default. */
  readonly headers: number
  /** Bytes of one extended header or long name; 1 MiB by default. */
  readonly extendedHeader: number
  /** Records of one extended header; 4096 by default. */
  readonly records: number
  /** Extended attributes of one entry; 256 by default. */
  readonly xattrs: number
  /** Pieces of one sparse file; 65,536 by default. */
  readonly sparsePieces: number
}

export const defaultTarLimits: TarLimits = {
  headers: 2_000_000,
  extendedHeader: 1024 * 1024,
  records: 4096,
  xattrs: 256,
  sparsePieces: 65_536,
}
