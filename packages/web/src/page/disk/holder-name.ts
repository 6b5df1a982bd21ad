import { shortened } from '../format/shortened.ts'
import type { Holder } from './disk-tree.ts'

const words = {
  shared: 'shared by several',
  other: 'held otherwise, as by leases',
  unused: 'unused',
} as const

/** What a person reads of a holder. */
export function holderName({ kind, name }: Pick<Holder, 'kind' | 'name'>): string {
  return kind === 'image' || kind === 'container' ? shortened(name, 80) : words[kind]
}
