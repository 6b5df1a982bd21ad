import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { linkState, retry } from '../connection/link.ts'

/** Says when the server cannot be reached, and when it will be tried again. */
export function LinkBanner() {
  return (
    <div class="banner-place" role="status">
      <Banner />
    </div>
  )
}

function Banner() {
  const state = linkState.value
  if (state.kind === 'signed out') {
    return (
      <p class="banner">
        The server no longer knows this browser, as after a new start. Run <code>ctr web</code> and open its
        link in this browser: this page then goes on.
      </p>
    )
  }
  if (state.kind !== 'away') return null
  return (
    <p class="banner">
      The server is away. What is shown may be old. <Countdown until={state.retryAt} />
      <button type="button" onClick={retry}>
        Try now
      </button>
    </p>
  )
}

/** Counts for who looks; who listens would be told of every second. */
function Countdown({ until }: { readonly until: number }) {
  const now = useSignal(Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = Date.now()
    }, 500)
    return () => clearInterval(timer)
  }, [now])
  const left = Math.max(0, Math.ceil((until - now.value) / 1000))
  return <span aria-hidden="true">{left === 0 ? 'Trying… ' : `Next try in ${left} s. `}</span>
}
