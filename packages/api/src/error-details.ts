import { decodeBinaryHeader, encodeBinaryHeader } from '@connectrpc/connect'
import type { NsboxError } from '@nsbox/errors'

type Details = NsboxError['details']

/**
 * Trailer that carries the details of an NsboxError as JSON. Not `grpc-status-details-bin`: clients written in
 * Go append whatever they find there to the text of the error, and that text is a contract.
 */
export const detailsHeader = 'nsbox-error-details-bin'

/** Longest value of the trailer, in characters. Longer ones could exceed the limit of all trailers. */
const maxLength = 8192

/** The value of the trailer; undefined where there is nothing to send, or too much. */
export function writeDetails(details: Details): string | undefined {
  if (Object.keys(details).length === 0) return undefined
  const value = encodeBinaryHeader(JSON.stringify(details))
  return value.length <= maxLength ? value : undefined
}

/**
 * The details in the value of the trailer. Whatever a peer sends, the error that comes with it matters more:
 * what cannot be read counts as no details.
 */
export function readDetails(value: string | null): Details {
  if (value === null || value.length > maxLength) return {}
  const parsed = parse(value)
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return {}
  return Object.fromEntries(
    Object.entries(parsed).filter(([, fact]) => ['string', 'number', 'boolean'].includes(typeof fact)),
  )
}

function parse(value: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(decodeBinaryHeader(value)))
  } catch {
    return undefined
  }
}
