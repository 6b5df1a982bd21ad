import { channel } from 'node:diagnostics_channel'
import type { DomainEvent } from '@nsbox/core/events'
import type { UnpackStage } from '@nsbox/images'
import type { Collection } from '@nsbox/metadata'

/** A call that has ended. Messages and headers are not told. */
export interface CallMessage {
  readonly service: string
  readonly method: string
  /** As the client wrote it. */
  readonly namespace: string | undefined
  /** Of the access list; absent on the server's own socket. */
  readonly peer: string | undefined
  /** `OK`, or a status such as `NotFound`. */
  readonly code: string
  readonly milliseconds: number
}

/** A pull by the server that has ended. */
export interface PullMessage {
  readonly namespace: string
  readonly reference: string
  readonly code: string
  readonly milliseconds: number
}

/** A stage of unpacking a layer that has succeeded. */
export interface UnpackMessage {
  readonly stage: UnpackStage
  readonly milliseconds: number
}

/** An event of a task, as subscribers of the server get it. */
export interface TaskMessage {
  readonly namespace: string
  readonly event: DomainEvent
}

/** The messages by the channels of `node:diagnostics_channel` that they are told on (docs/metrics.md). */
export interface ChannelMessages {
  readonly 'nsbox:call': CallMessage
  readonly 'nsbox:pull': PullMessage
  readonly 'nsbox:unpack': UnpackMessage
  readonly 'nsbox:collection': Collection
  readonly 'nsbox:task': TaskMessage
}

const names = ['nsbox:call', 'nsbox:pull', 'nsbox:unpack', 'nsbox:collection', 'nsbox:task'] as const
const channels = Object.fromEntries(names.map((name) => [name, channel(name)])) as Record<
  keyof ChannelMessages,
  ReturnType<typeof channel>
>

/** Tells the subscribers of a channel, if there are any; only then the message is made. */
export function publish<N extends keyof ChannelMessages>(name: N, message: () => ChannelMessages[N]): void {
  if (channels[name].hasSubscribers) channels[name].publish(message())
}
