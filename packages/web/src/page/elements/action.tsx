import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { errorText } from '../connection/error-text.ts'
import { linkState, session } from '../connection/link.ts'
import { say } from './announcements.tsx'

interface ActionProps {
  readonly children: ComponentChildren
  /** What it is done to, for who does not see where the button is. */
  readonly label: string
  readonly run: () => Promise<void> | void
  /** What is said when it is done; nothing without it. */
  readonly done?: string | undefined
  /** Why it cannot be done now, other than that nothing may be. */
  readonly unless?: string | undefined
  /** Whether it changes nothing, and so is allowed always. */
  readonly reads?: boolean | undefined
  readonly danger?: boolean | undefined
}

/** Why nothing can be done now, if so. */
export function refusal(): string | undefined {
  if (linkState.value.kind !== 'live') return 'The server is away.'
  if (session.value?.write !== true)
    return 'This page is read-only. Start the server with --web-write to allow actions.'
  return undefined
}

/**
 * A button that does something on the server. Where it cannot be used it stays where the keyboard finds it, and says
 * why.
 */
export function Action({ children, label, run, done, unless, reads = false, danger = false }: ActionProps) {
  const busy = useSignal(false)
  const id = useId()
  const reason = (reads ? undefined : refusal()) ?? unless
  const act = async () => {
    if (reason !== undefined || busy.value) return
    busy.value = true
    try {
      await run()
      if (done !== undefined) say(done)
    } catch (error) {
      say(`${label} failed: ${errorText(error)}`, 'error')
    } finally {
      busy.value = false
    }
  }
  return (
    <>
      <button
        type="button"
        class={danger ? 'danger' : undefined}
        aria-label={label}
        aria-disabled={reason !== undefined || busy.value}
        aria-describedby={reason === undefined ? undefined : id}
        title={reason ?? label}
        onClick={() => void act()}
      >
        {busy.value ? <span class="busy">{children}</span> : children}
      </button>
      {reason !== undefined && (
        <span id={id} class="spoken">
          {reason}
        </span>
      )}
    </>
  )
}
