import { fromTimestamp } from '@nsbox/api'
import type { Labels } from '@nsbox/core/labels'
import { NsboxError } from '@nsbox/errors'
import { Timestamp } from '@nsbox/time'

/** Gives a received map no prototype, so that a label named `constructor` is a label like any other. */
export function receivedLabels(labels: Record<string, string>): Labels {
  return Object.assign(Object.create(null), labels)
}

/** A time that the contract promises; the epoch where a server does not know it. */
export function receivedTime(timestamp: Parameters<typeof fromTimestamp>[0], field: string): Timestamp {
  return fromTimestamp(timestamp, field) ?? Timestamp.epoch
}

/** A part of a response that must be there. @throws `data_loss` */
export function received<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new NsboxError('data_loss', `the server's response lacks ${what}`)
  return part
}
