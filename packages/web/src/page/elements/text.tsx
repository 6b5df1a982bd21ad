import { shortened } from '../format/shortened.ts'

interface TextProps {
  readonly of: string
  /** Most characters shown; 64 by default. */
  readonly length?: number | undefined
  readonly class?: string | undefined
}

/** A name from anywhere: text only, bounded; the rest of a long one shows when it is pointed at. */
export function Text({ of, length = 64, class: name }: TextProps) {
  const short = shortened(of, length)
  return (
    <span class={name} {...(short !== of && { title: shortened(of, 1000) })}>
      <bdi>{short}</bdi>
    </span>
  )
}
