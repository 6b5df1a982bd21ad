import { create, type MessageShape } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { toConnectError } from '@nsbox/api'
import { StatusSchema } from '@nsbox/api/gen/google/rpc/status_pb'

type Status = MessageShape<typeof StatusSchema>

/** The status of an error. */
export function toStatus(error: unknown): Status {
  const { code, rawMessage } = toConnectError(error)
  return create(StatusSchema, { code, message: rawMessage })
}

/** The error of a status; undefined for success. Its details are left out. */
export function fromStatus(status: Pick<Status, 'code' | 'message'> | undefined): ConnectError | undefined {
  if (status === undefined || status.code === 0) return undefined
  return new ConnectError(status.message, codes.has(status.code) ? status.code : Code.Unknown)
}

const codes: ReadonlySet<number> = new Set(Object.values(Code).filter((code) => typeof code === 'number'))
