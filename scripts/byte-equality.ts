// Compares bytes in tests at once, where vitest would look at each as at a property of an object. A set-up file of
// every test file (`vitest.config.ts`).
import { expect } from 'vitest'

const equalBytes = (one: unknown, other: unknown): boolean | undefined =>
  // Others are compared, and bytes that differ are shown, as usual.
  one instanceof Uint8Array && other instanceof Uint8Array && one.constructor === other.constructor
    ? Buffer.compare(one, other) === 0
    : undefined

// Files that share a process share its testers, too.
const added = Symbol.for('nsbox.byte-equality')
const shared = globalThis as { [added]?: true }
if (!shared[added]) {
  shared[added] = true
  expect.addEqualityTesters([equalBytes])
}
