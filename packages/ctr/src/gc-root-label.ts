import type { Labels } from '@nsbox/core/labels'
import { labelKeys } from '@nsbox/oci'

/** The label that keeps what a command makes until somebody removes it; its value tells since when, in UTC. */
export function gcRootLabel(now = new Date()): Labels {
  return { [labelKeys.gcRoot]: `${now.toISOString().slice(0, 19)}Z` }
}
