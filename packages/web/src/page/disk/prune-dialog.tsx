import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { errorText } from '../connection/error-text.ts'
import { Action } from '../elements/action.tsx'
import { Dialog } from '../elements/dialog.tsx'
import { Failure, Waiting } from '../elements/states.tsx'
import { Text } from '../elements/text.tsx'
import { bytesText } from '../format/quantities.ts'
import { shortened } from '../format/shortened.ts'
import { type PrunePlan, planPrune, prune } from './prune.ts'

interface PruneDialogProps {
  readonly namespace: string
  readonly onClose: () => void
}

/** Most images that are named. */
const mostNamed = 50

/** Shows what a prune would remove, and removes it. */
export function PruneDialog({ namespace, onClose }: PruneDialogProps) {
  const plan = useSignal<PrunePlan | undefined>(undefined)
  const failure = useSignal<string | undefined>(undefined)
  useEffect(() => {
    const stop = new AbortController()
    planPrune(namespace, stop.signal).then(
      (made) => {
        plan.value = made
      },
      (error) => {
        if (!stop.signal.aborted) failure.value = errorText(error)
      },
    )
    return () => stop.abort()
  }, [namespace, plan, failure])
  const made = plan.value
  const nothing = made !== undefined && made.images.length === 0 && made.collected.length === 0
  return (
    <Dialog title={`Prune ${shortened(namespace, 40)}`} onClose={onClose}>
      <Failure of={failure.value} />
      {made === undefined && failure.value === undefined && <Waiting />}
      {nothing && <p>There is nothing to remove: every image has a container, and all else is held.</p>}
      {made !== undefined && !nothing && (
        <>
          <p>
            {`Frees ${bytesText(made.freed)}: removes ${made.images.length} images that no container is of, and ${made.collected.length} objects that nothing holds then.`}
          </p>
          <ul class="names">
            {made.images.slice(0, mostNamed).map(({ name }) => (
              <li key={name}>
                <Text of={name} length={80} />
              </li>
            ))}
            {made.images.length > mostNamed && <li>{`and ${made.images.length - mostNamed} more`}</li>}
          </ul>
        </>
      )}
      <footer>
        <button type="button" onClick={onClose}>
          {nothing ? 'Close' : 'Cancel'}
        </button>
        {made !== undefined && !nothing && (
          <Action
            label={`Prune ${shortened(namespace, 40)} now`}
            run={async () => {
              await prune(made)
              onClose()
            }}
            done={`Pruned ${shortened(namespace, 40)}: ${bytesText(made.freed)} freed.`}
            danger
          >
            Prune
          </Action>
        )}
      </footer>
    </Dialog>
  )
}
