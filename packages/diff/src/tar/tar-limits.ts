/** Limits of an archive, so that a hostile one cannot exhaust memory. */
export const tarLimits = {
  /** Bytes of one extended header or long name. */
  extendedHeader: 1024 * 1024,
  /** Records of one extended header. */
  records: 4096,
  /** Extended attributes of one entry. */
  xattrs: 256,
  /** Pieces of one sparse file. */
  sparsePieces: 65_536,
} as const
