import type { Labels } from '@nsbox/core/labels'
import { labelKeys } from '@nsbox/oci'

/** The label that keeps what a command makes until it is removed; its value is the time of making, in UTC. */
export function gcRootLabel(now = new Date()): Labels {
  return { [labelKeys.gcRoot]: `${now.toISOString().slice(0, 19)}Z` }
}
