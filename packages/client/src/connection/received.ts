import { fromTimestamp } from '@nsbox/api'
import type { Labels } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'

/** Gives a received map no prototype, so that a label named `constructor` is a label like any other. */
export function receivedLabels(labels: Record<string, string>): Labels {
  return Object.assign(Object.create(null), labels)
}

/** A date that the contract promises; the epoch where a server does not know it. */
export function receivedDate(timestamp: Parameters<typeof fromTimestamp>[0], field: string): Date {
  return fromTimestamp(timestamp, field) ?? new Date(0)
}

/** A part of a response that must be there. @throws `data_loss` */
export function received<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new NsboxError('data_loss', `the server's response lacks ${what}`)
  return part
}
