import type { DescMethod } from '@bufbuild/protobuf'
import { messageLimit } from '@nsbox/api'
import { Events } from '@nsbox/api/gen/services/events/v1/events_pb'

/** For an event, which may wait for every subscriber. */
const maxEventBytes = 256 << 10

const exceptions: ReadonlyMap<DescMethod, number> = new Map<DescMethod, number>([
  [Events.method.publish, maxEventBytes],
  [Events.method.forward, maxEventBytes],
])

/** The most bytes of a request of a method. */
export function maxRequestBytes(method: DescMethod): number {
  return exceptions.get(method) ?? messageLimit(method.input)
}
