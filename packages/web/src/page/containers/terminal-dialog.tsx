import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { errorText } from '../connection/error-text.ts'
import { Dialog } from '../elements/dialog.tsx'
import { shortened } from '../format/shortened.ts'
import type { ListedContainer } from './load-containers.ts'

interface TerminalDialogProps {
  readonly container: ListedContainer
  readonly onClose: () => void
}

/** A shell inside a container. */
export function TerminalDialog({ container: { namespace, id }, onClose }: TerminalDialogProps) {
  const place = useRef<HTMLDivElement>(null)
  const status = useSignal('Connecting…')
  useEffect(() => {
    const stop = new AbortController()
    const open = async () => {
      // Loaded only here: few of those who look at containers go into one.
      const { openTerminal } = await import('./open-terminal.ts')
      if (stop.signal.aborted) return
      const onStatus = (text: string) => {
        status.value = text
      }
      openTerminal(place.current!, { namespace, container: id, onStatus, signal: stop.signal })
    }
    open().catch((error) => {
      status.value = errorText(error)
    })
    return () => stop.abort()
  }, [namespace, id, status])
  return (
    <Dialog title={`Terminal in ${shortened(id)}`} onClose={onClose} wide>
      <div ref={place} class="terminal" />
      <p class="aside" role="status">
        {status.value}
      </p>
    </Dialog>
  )
}
