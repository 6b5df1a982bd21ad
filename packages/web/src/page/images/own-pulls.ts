import { type Signal, signal } from '@preact/signals'
import { errorText } from '../connection/error-text.ts'
import { say } from '../elements/announcements.tsx'
import { shortened } from '../format/shortened.ts'
import { pull } from './pull.ts'
import { type PullProgress, withStep } from './pull-progress.ts'

/** A pull that this page has asked for. */
export interface OwnPull {
  readonly namespace: string
  readonly reference: string
  readonly progress: Signal<PullProgress>
  /** Why it failed; undefined while it goes on. */
  readonly failure: Signal<string | undefined>
  /** Ends it, or takes a failed one off the list. */
  dismiss(): void
}

/** Those that go on, and those that have failed. */
export const ownPulls: Signal<readonly OwnPull[]> = signal([])

/** Begins a pull, which goes on when another view is shown. */
export function startPull(namespace: string, reference: string, plainHttp: boolean): void {
  const stop = new AbortController()
  const progress = signal<PullProgress>({ line: '', layers: [] })
  const failure = signal<string | undefined>(undefined)
  const entry: OwnPull = {
    ...{ namespace, reference, progress, failure },
    dismiss: () => {
      stop.abort()
      ownPulls.value = ownPulls.value.filter((other) => other !== entry)
    },
  }
  ownPulls.value = [...ownPulls.value, entry]
  const name = shortened(reference)
  pull({
    ...{ namespace, reference, plainHttp, signal: stop.signal },
    onStep: (step) => {
      progress.value = withStep(progress.value, step)
    },
  }).then(
    () => {
      say(`Pulled ${name}.`)
      entry.dismiss()
    },
    (error) => {
      if (stop.signal.aborted) return
      failure.value = errorText(error)
      say(`Pulling ${name} failed: ${failure.value}`, 'error')
    },
  )
}
