import { describe } from 'vitest'
import { type Needs, needs } from './needs.ts'

/** `describe`, skipped with the reason in its name where the machine lacks something; see `needs`. */
export function describeWith(wanted: Needs, name: string, body: () => void): void {
  const reason = needs(wanted)
  describe.skipIf(reason !== undefined)(reason === undefined ? name : `${name} (${reason})`, body)
}
