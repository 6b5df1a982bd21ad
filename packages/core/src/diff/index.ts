export type { AbortOptions } from '@nsbox/concurrency'
export type { AppliedLayer, Applier, ApplyLayerOptions, ArrivingLayer, DiffMount } from './applier.ts'
export type { CompareOptions, Comparer } from './comparer.ts'
