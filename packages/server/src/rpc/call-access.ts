import {
  type ContextValues,
  createContextKey,
  type HandlerContext,
  type StreamRequest,
  type UnaryRequest,
} from '@connectrpc/connect'
import { type Access, nobody } from '../access/access.ts'

/** A call, as implementations and interceptors see it. */
type Call = HandlerContext | UnaryRequest | StreamRequest

/** Headers of a request as Node has them, by names in lower case. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Where a call has the access of whoever makes it. */
export const accessKey = createContextKey<Access>(nobody)

/** Where a call has the headers of its request; making `Headers` of them takes as long as a small call's work. */
export const headersKey = createContextKey<RequestHeaders>({})

/** What whoever makes a call may do. */
export function accessOf(call: Call): Access {
  return valuesOf(call).get(accessKey)
}

/** A header of a call's request, by its name in lower case. */
export function headerOf(call: Call, name: string): string | null {
  const value = valuesOf(call).get(headersKey)[name]
  return Array.isArray(value) ? value.join(', ') : (value ?? null)
}

function valuesOf(call: Call): ContextValues {
  return 'values' in call ? call.values : call.contextValues
}
