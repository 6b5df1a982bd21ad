import { NsboxError, quoted } from '@nsbox/errors'
import type { Mount } from '../mount-record.ts'
import type { ActiveMount } from './active-mount.ts'

const action = /\{\{([^{}]*)\}\}/g
const single = /^\s*(source|target|mount)\s+(\d{1,4})\s*$/
const range = /^\s*overlay\s+(\d{1,4})\s+(\d{1,4})\s*$/

/**
 * A mount with templates filled in from the mounts before it: `{{ source N }}`, `{{ target N }}` and `{{ mount N }}` of
 * the Nth, `{{ overlay M N }}` the mount points of the Mth to the Nth, in this order, as a list of overlayfs
 * (docs/behaviour.md §19).
 *
 * @throws `invalid_argument` for anything else in double braces, and for a mount that does not exist
 */
export function filledMount(mount: Mount, active: readonly ActiveMount[]): Mount {
  const { target } = mount
  return {
    ...mount,
    source: filled(mount.source, active),
    ...(target !== undefined && { target: filled(target, active) }),
    options: mount.options.map((option) => filled(option, active)),
  }
}

function filled(text: string, active: readonly ActiveMount[]): string {
  const result = text.replace(action, (whole, inner: string) => {
    const [, field, index] = single.exec(inner) ?? []
    if (field !== undefined) return value(field, at(Number(index)))
    const [, first, last] = range.exec(inner) ?? []
    if (first === undefined) throw refusal(whole)
    return numbersTo(Number(first), Number(last))
      .map((number) => at(number).mountPoint)
      .join(':')
  })
  // Remaining braces are no known template.
  if (/\{\{/.test(text.replace(action, ''))) throw refusal(text)
  return result

  function at(index: number): ActiveMount {
    const found = active[index]
    if (found !== undefined) return found
    throw new NsboxError(
      'invalid_argument',
      `mount template ${quoted(text)}: mount ${index}, of ${active.length} before it`,
    )
  }
}

function value(field: string, { mount, mountPoint }: ActiveMount): string {
  if (field === 'mount') return mountPoint
  return field === 'source' ? mount.source : (mount.target ?? '')
}

function numbersTo(first: number, last: number): number[] {
  const step = first > last ? -1 : 1
  return Array.from({ length: Math.abs(last - first) + 1 }, (_, index) => first + index * step)
}

function refusal(text: string): NsboxError {
  return new NsboxError('invalid_argument', `mount template ${quoted(text)}`)
}
