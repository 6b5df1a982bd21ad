import { useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import { errorText } from '../connection/error-text.ts'
import { say } from '../elements/announcements.tsx'
import { Dialog } from '../elements/dialog.tsx'

interface NameDialogProps {
  readonly title: string
  readonly explanation: string
  /** What the name is of. */
  readonly label: string
  readonly initial: string
  /** What the button says. */
  readonly verb: string
  readonly run: (name: string) => Promise<void>
  readonly done: (name: string) => string
  readonly onClose: () => void
}

/** Asks for a name, and does what needs it. After a failure it stays open, with the reason. */
export function NameDialog({
  title,
  explanation,
  label,
  initial,
  verb,
  run,
  done,
  onClose,
}: NameDialogProps) {
  const id = useId()
  const name = useSignal(initial)
  const failure = useSignal<string | undefined>(undefined)
  const busy = useSignal(false)
  const submit = async () => {
    if (busy.value) return
    busy.value = true
    failure.value = undefined
    try {
      await run(name.value)
      say(done(name.value))
      onClose()
    } catch (error) {
      failure.value = errorText(error)
    } finally {
      busy.value = false
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void submit()
        }}
      >
        <p>{explanation}</p>
        <label for={id}>{label}</label>
        <input
          id={id}
          value={name.value}
          required
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => {
            name.value = event.currentTarget.value
          }}
        />
        {failure.value && (
          <p class="failure" role="alert">
            {failure.value}
          </p>
        )}
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" aria-disabled={busy.value}>
            {busy.value ? 'Working…' : verb}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
