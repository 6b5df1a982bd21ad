import { useRef } from 'preact/hooks'
import { spanText } from '../format/quantities.ts'
import { everyMinute, everySecond } from '../format/ticks.ts'
import { useVisibility } from './visibility.ts'

interface AgeProps {
  /** Milliseconds since the epoch. */
  readonly since: number
}

/** How long ago something was. It grows while it can be seen: by seconds as long as it shows them, then by minutes. */
export function Age({ since }: AgeProps) {
  const element = useRef<HTMLSpanElement>(null)
  const isVisible = useVisibility(element)
  return <span ref={element}>{isVisible ? <Growing since={since} /> : ageText(since)}</span>
}

function Growing({ since }: AgeProps) {
  const ticks = Date.now() - since < 60_000 ? everySecond : everyMinute
  // With each tick that it has been rendered for, it is rendered again.
  return <span key={ticks.value}>{ageText(since)}</span>
}

const ageText = (since: number) => spanText((Date.now() - since) / 1000)
