import {
  constants,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'

/**
 * How many streams that count a connection may have, beyond `streamsPerSecond`, before its client is asked to open a
 * new one.
 *
 * nghttp2 ends a connection with an error once its client has reset more than 1000 streams and 33 a second, against
 * rapid resets (CVE-2023-44487), and Node.js 20 has no setting for it. Stock clients of containerd reset a stream for
 * each piece of a blob that they read, so they would be disconnected in the middle of an image. A reset after the
 * stream's end cannot be seen, so all streams count whose client may leave before it has read all. A call with one
 * answer has none to leave, and counts only if it was reset before that.
 */
const streamBurst = 500
const streamsPerSecond = 30

/** Milliseconds in which a connection is to take the first frame, and after which it ends if it has no calls. */
const patience = 1000

const highestStreamId = 2 ** 31 - 1

/** Says which streams of a connection are to be served. */
export interface SessionRotation {
  /** Whether a stream is not beyond the last one that the client was told of. One that is has to be refused. */
  admits(stream: ServerHttp2Stream): boolean
}

/**
 * Lets a connection live for a bounded number of streams. Then its client is asked to use a new one (RFC 9113 §6.8),
 * which client libraries do transparently: calls in progress continue, and none is lost.
 *
 * nghttp2 passes over all streams that come after it has sent a GOAWAY, whatever number that has. So the first one
 * allows for all, and once it is sent a second one says which was the last that came in time: clients make later calls
 * at once on the new connection. While a client does not read, the first is not sent; then what comes after the second
 * has to be refused here.
 *
 * @param hasOneAnswer whether the method that the headers name has one
 */
export function rotateSession(
  session: ServerHttp2Session,
  hasOneAnswer: (headers: IncomingHttpHeaders) => boolean,
): SessionRotation {
  let allowance = streamBurst
  let last = performance.now()
  let isOver = false
  let lastStream: number | undefined
  let open = 0

  const count = () => {
    // Its streams end with a connection, which has nobody left to tell.
    if (isOver || session.destroyed) return
    const now = performance.now()
    allowance = Math.min(streamBurst, allowance + ((now - last) / 1000) * streamsPerSecond) - 1
    last = now
    if (allowance > 0) return
    isOver = true
    session.goaway(constants.NGHTTP2_NO_ERROR, highestStreamId)
    setTimeout(tellLast, 1, now + patience)
  }
  const tellLast = (until: number) => {
    if (session.destroyed) return
    const { outboundQueueSize = 0, lastProcStreamID = 0 } = session.state
    if (outboundQueueSize > 0 && performance.now() < until) {
      setTimeout(tellLast, 1, until)
      return
    }
    lastStream = lastProcStreamID
    session.goaway(constants.NGHTTP2_NO_ERROR, lastStream)
    const timer = setInterval(endIfDone, patience)
    session.once('close', () => clearInterval(timer))
  }
  const endIfDone = () => {
    if (open > 0) return
    // It closes by itself then, but sometimes does not if streams were refused meanwhile.
    if (session.closed) session.destroy()
    else session.close()
  }

  session.on('stream', (stream, headers) => {
    open++
    const counts = !hasOneAnswer(headers)
    stream.on('close', () => {
      open--
      if (!counts && stream.rstCode !== constants.NGHTTP2_NO_ERROR) count()
    })
    if (counts) count()
  })
  return { admits: ({ id = 0 }) => lastStream === undefined || id <= lastStream }
}
