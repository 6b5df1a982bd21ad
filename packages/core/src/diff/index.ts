export type { AbortOptions } from '../abort-options.ts'
export type { AppliedLayer, Applier, ApplyLayerOptions, DiffMount } from './applier.ts'
