/**
 * `full`: what was answered survives a power cut. `relaxed`: it survives the death of the process only; for hosts
 * that are thrown away.
 */
export type Durability = 'full' | 'relaxed'
