import { NsboxError } from '@nsbox/errors'

/** The most bytes that the key and the value of a label may have together. */
export const maxLabelBytes = 4096

/** The most labels that one object may have, more than the largest index needs; containerd sets no bound of its own. */
export const maxLabels = 10_240

/**
 * The most bytes that all labels of one object may have together: as many as the largest manifest or index, whose
 * children they list. With more, a list of objects would exceed what clients accept in a message.
 */
export const maxLabelsBytes = 4 * 1024 * 1024

/**
 * Checks labels against the limits (docs/behaviour.md §1).
 *
 * @param prefix names the object in the error: `namespace.Labels`, `info.Labels`, `image.Labels`, `containers.Labels`
 * @throws `invalid_argument`
 */
export function validateLabels(labels: Readonly<Record<string, string>>, prefix: string): void {
  const entries = Object.entries(labels)
  if (entries.length > maxLabels) {
    throw new NsboxError(
      'invalid_argument',
      `${prefix}: ${entries.length} labels, at most ${maxLabels} are allowed`,
    )
  }
  let all = 0
  for (const [key, value] of entries) {
    const bytes = Buffer.byteLength(key) + Buffer.byteLength(value)
    all += bytes
    if (all > maxLabelsBytes)
      throw new NsboxError(
        'invalid_argument',
        `${prefix}: labels of more than ${maxLabelsBytes} bytes in all`,
      )
    if (bytes <= maxLabelBytes) continue
    throw new NsboxError(
      'invalid_argument',
      `${prefix}: label key and value length (${bytes} bytes) greater than maximum size (${maxLabelBytes} ` +
        `bytes), key: ${key.slice(0, 64)}`,
    )
  }
}
