import { NsboxError } from '@nsbox/errors'

/** Why a call ends whose client has closed its stream or its connection, in whatever way it did. */
export const clientGone = new NsboxError('canceled', 'the client went away')
