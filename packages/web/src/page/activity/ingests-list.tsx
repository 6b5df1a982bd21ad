import { Text } from '../elements/text.tsx'
import { bytesText } from '../format/quantities.ts'
import { shortened } from '../format/shortened.ts'
import type { Ingest } from '../images/ingests.ts'

/** Most shown. */
const most = 50

/** What is being written to the content store, by whomever. */
export function IngestsList({ ingests }: { readonly ingests: readonly Ingest[] }) {
  if (ingests.length === 0) return <p class="nothing">Nothing is being written.</p>
  return (
    <ul class="blobs" aria-label="Content that is being written">
      {ingests.slice(0, most).map(({ namespace, ref, offset, total }) => (
        <li key={`${namespace}\0${ref}`}>
          <Text of={ref} length={28} class="digest" />
          <progress max={Math.max(total, offset, 1)} value={offset} aria-label={shortened(ref)} />
          <span class="figure">{`${bytesText(offset)} of ${total === 0 ? '?' : bytesText(total)}`}</span>
          <Text of={namespace} length={24} class="aside" />
        </li>
      ))}
    </ul>
  )
}
