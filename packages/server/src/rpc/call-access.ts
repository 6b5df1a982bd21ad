import {
  createContextKey,
  type HandlerContext,
  type StreamRequest,
  type UnaryRequest,
} from '@connectrpc/connect'
import { type Access, nobody } from '../access/access.ts'
import { GrpcCall } from './grpc/grpc-call.ts'

/** The key of the caller's access in a call's context. */
export const accessKey = createContextKey<Access>(nobody)

/** The access of a caller. */
export function accessOf(call: HandlerContext | UnaryRequest | StreamRequest): Access {
  if (call instanceof GrpcCall) return call.access
  return ('values' in call ? call.values : call.contextValues).get(accessKey)
}

export function headerOf(call: HandlerContext | UnaryRequest | StreamRequest, name: string): string | null {
  if (call instanceof GrpcCall) return call.headerOf(name)
  return ('requestHeader' in call ? call.requestHeader : call.header).get(name)
}
