import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { errorText } from '../connection/error-text.ts'
import { say } from './announcements.tsx'
import { Dialog } from './dialog.tsx'

interface ConfirmDialogProps {
  readonly title: string
  /** What the button says. */
  readonly verb: string
  readonly run: () => Promise<void>
  readonly done: string
  readonly onClose: () => void
  readonly children: ComponentChildren
}

/** Asks before something is removed. After a failure it stays open, with the reason. */
export function ConfirmDialog({ title, verb, run, done, onClose, children }: ConfirmDialogProps) {
  const failure = useSignal<string | undefined>(undefined)
  const busy = useSignal(false)
  const act = async () => {
    if (busy.value) return
    busy.value = true
    failure.value = undefined
    try {
      await run()
      say(done)
      onClose()
    } catch (error) {
      failure.value = errorText(error)
    } finally {
      busy.value = false
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {failure.value && (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      )}
      <footer>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" class="danger" aria-disabled={busy.value} onClick={() => void act()}>
          {busy.value ? 'Working…' : verb}
        </button>
      </footer>
    </Dialog>
  )
}
