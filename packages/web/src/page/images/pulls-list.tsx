import { Text } from '../elements/text.tsx'
import { bytesText } from '../format/quantities.ts'
import { shortened } from '../format/shortened.ts'
import { type OwnPull, ownPulls } from './own-pulls.ts'
import { type LayerProgress, totals } from './pull-progress.ts'

/** The pulls that this page has asked for, layer by layer. */
export function PullsList() {
  if (ownPulls.value.length === 0) return null
  return (
    <ul class="pulls" aria-label="Pulls under way">
      {ownPulls.value.map((pull) => (
        <PullItem key={`${pull.namespace}\0${pull.reference}`} pull={pull} />
      ))}
    </ul>
  )
}

function PullItem({
  pull: { namespace, reference, progress, failure, dismiss },
}: {
  readonly pull: OwnPull
}) {
  const { line, layers } = progress.value
  const { received, size } = totals(progress.value)
  return (
    <li class="pull">
      <div class="pull-head">
        <Text of={reference} length={80} class="strong" />
        <Text of={namespace} length={24} class="aside" />
        <span class="figure" role="status">
          {failure.value === undefined
            ? size === 0
              ? shortened(line) || 'asking the registry'
              : `${bytesText(received)} of ${bytesText(size)}`
            : 'failed'}
        </span>
        <button
          type="button"
          aria-label={`${failure.value ? 'Dismiss' : 'Cancel'} the pull of ${shortened(reference)}`}
          onClick={dismiss}
        >
          {failure.value ? 'Dismiss' : 'Cancel'}
        </button>
      </div>
      {failure.value && <p class="failure">{failure.value}</p>}
      <ul class="blobs" aria-label="Layers">
        {layers.map((layer) => (
          <LayerItem key={layer.name} layer={layer} />
        ))}
      </ul>
    </li>
  )
}

function LayerItem({ layer: { name, size, received, state } }: { readonly layer: LayerProgress }) {
  const short = shortened(name.slice(name.indexOf(':') + 1), 12)
  return (
    <li>
      <span class="digest">{short}</span>
      <progress max={Math.max(size, received, 1)} value={received} aria-label={`Layer ${short}`} />
      <span class="figure">
        {state === 'downloading' && size > 0
          ? `${bytesText(received)} of ${bytesText(size)}`
          : shortened(state, 24)}
      </span>
    </li>
  )
}
