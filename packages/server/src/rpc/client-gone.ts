import { NsboxError } from '@nsbox/errors'

/** The reason for the end of a call whose client closed its stream or its connection, in any way. */
export const clientGone = new NsboxError('canceled', 'the client went away')
