import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { errorText } from '../connection/error-text.ts'
import { Dialog } from '../elements/dialog.tsx'
import { shortened } from '../format/shortened.ts'
import { keptText } from './kept-text.ts'
import type { ListedContainer } from './load-containers.ts'

interface LogsDialogProps {
  readonly container: ListedContainer
  readonly onClose: () => void
}

/** The output of a container, as it grows. */
export function LogsDialog({ container: { namespace, id }, onClose }: LogsDialogProps) {
  const text = useSignal('')
  const failure = useSignal<string | undefined>(undefined)
  const place = useRef<HTMLPreElement>(null)
  useEffect(() => {
    const stop = new AbortController()
    const read = async () => {
      const query = new URLSearchParams({ namespace, container: id })
      const response = await fetch(`/logs?${query}`, { signal: stop.signal })
      if (!response.ok || response.body === null) {
        failure.value = shortened(await response.text(), 500)
        return
      }
      const decoder = new TextDecoder()
      const reader = response.body.getReader()
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        const { current } = place
        // Who has scrolled up reads there.
        const isAtEnd =
          current !== null && current.scrollHeight - current.scrollTop - current.clientHeight < 24
        text.value = keptText(text.value, decoder.decode(part.value, { stream: true }))
        if (isAtEnd) requestAnimationFrame(() => current.scrollTo(0, current.scrollHeight))
      }
    }
    read().catch((error) => {
      if (!stop.signal.aborted) failure.value = errorText(error)
    })
    return () => stop.abort()
  }, [namespace, id, text, failure])
  return (
    <Dialog title={`Logs of ${shortened(id)}`} onClose={onClose} wide>
      {failure.value && (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <pre ref={place} class="log" tabIndex={0} role="log" aria-label="Output" aria-live="off">
        {text.value || (failure.value ? '' : 'No output yet.')}
      </pre>
    </Dialog>
  )
}
