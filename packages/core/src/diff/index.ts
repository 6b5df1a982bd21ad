export type { AbortOptions } from '../abort-options.ts'
export type { AppliedLayer, Applier, ApplyLayerOptions, ArrivingLayer, DiffMount } from './applier.ts'
export type { CompareOptions, Comparer } from './comparer.ts'
