import type { ContentInfo, IngestStatus } from '@nsbox/core/content'
import { type Adaptor, labelField } from '@nsbox/filters'

/** The fields of a blob that filters know (docs/behaviour.md §2). */
export function blobFields({ digest, labels }: ContentInfo): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'digest' && rest.length === 0) return digest
      return first === 'labels' ? labelField(labels, rest) : undefined
    },
  }
}

/** The fields of an ingest that filters know (docs/behaviour.md §2). */
export function ingestFields({ ref }: IngestStatus): Adaptor {
  return { field: (path) => (path.length === 1 && path[0] === 'ref' ? ref : undefined) }
}
