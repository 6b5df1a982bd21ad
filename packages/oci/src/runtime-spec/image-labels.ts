import { quoted } from '@nsbox/errors'
import type { ContainerDefaults } from '../image-config.ts'

/** Most bytes of a label's key and value together, as everywhere in containerd. */
const maxLabelBytes = 4096

/**
 * Prefixes of labels with a meaning for a program on the host: containerd and its plugins, nsbox, nerdctl, Docker. They
 * are not copied from an image: such a label could start a program on the host (docs/threat-model.md B09).
 */
const reserved = [
  'containerd.io/',
  'io.containerd.',
  'io.cri-containerd',
  'nsbox.',
  'nsbox/',
  'nerdctl/',
  'com.docker.',
]

const stopSignalLabel = 'io.containerd.image.config.stop-signal'
const stopSignal = /^(?:(?:SIG)?[A-Z][A-Z0-9]*(?:[+-][0-9]{1,2})?|[0-9]{1,2})$/i

export interface ImageLabels {
  /** For the container's record. */
  readonly labels: Record<string, string>
  /** One line for each label that was left out, for the user. */
  readonly warnings: readonly string[]
}

/**
 * The labels for a container from its image. Clients look for the image's stop signal in
 * `io.containerd.image.config.stop-signal`; it is `SIGTERM` if the image has none.
 */
export function imageLabels(config: ContainerDefaults): ImageLabels {
  const labels: Record<string, string> = Object.create(null)
  const warnings: string[] = []
  for (const [key, value] of Object.entries(config.labels)) {
    const why = refusal(key, value)
    if (why === undefined) labels[key] = value
    else warnings.push(`label ${quoted(key)} of the image is left out: ${why}`)
  }
  labels[stopSignalLabel] = config.stopSignal || 'SIGTERM'
  if (!stopSignal.test(labels[stopSignalLabel])) {
    warnings.push(`stop signal ${quoted(config.stopSignal)} of the image is left out: not a signal`)
    labels[stopSignalLabel] = 'SIGTERM'
  }
  return { labels, warnings }
}

function refusal(key: string, value: string): string | undefined {
  const prefix = reserved.find((each) => key.startsWith(each))
  if (prefix !== undefined) return `only the host may set ${prefix}`
  if (key === '' || /\p{Cc}/u.test(key)) return 'not a key'
  const size = Buffer.byteLength(key) + Buffer.byteLength(value)
  return size > maxLabelBytes ? `${size} bytes, more than ${maxLabelBytes}` : undefined
}
