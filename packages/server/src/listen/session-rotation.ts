import { constants, type ServerHttp2Session } from 'node:http2'

/**
 * How many streams a connection may have, beyond `streamsPerSecond`, before its client is asked to open a new one.
 *
 * nghttp2 ends a connection with an error once its client has reset more than 1000 streams and 33 a second, against
 * rapid resets (CVE-2023-44487), and Node.js 20 has no setting for it. Stock clients of containerd reset a stream for
 * each piece of a blob that they read, so they would be disconnected in the middle of an image. Every stream is
 * counted, since a reset after the stream's end cannot be seen.
 */
const streamBurst = 500
const streamsPerSecond = 30

/** How long a client may go on to open streams, in milliseconds, after it was asked to use a new connection. */
const notice = 1000

/** The streams that it may open in that time: more than it has in progress. */
const noticeStreams = 2000

const highestStreamId = 2 ** 31 - 1

/**
 * Lets a connection live for a bounded number of streams. Then its client is asked to use a new one (RFC 9113 §6.8),
 * which client libraries do transparently: calls in progress continue, and none is lost. A client that does not comply
 * is disconnected.
 */
export function rotateSession(session: ServerHttp2Session): void {
  let allowance = streamBurst
  let last = performance.now()
  let afterNotice: number | undefined
  let open = 0
  const endIfDone = () => {
    if (open === 0) session.destroy()
  }
  session.on('stream', (stream) => {
    open++
    stream.once('close', () => {
      open--
    })
    if (afterNotice !== undefined) {
      afterNotice++
      if (afterNotice > noticeStreams) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM)
      return
    }
    const now = performance.now()
    allowance = Math.min(streamBurst, allowance + ((now - last) / 1000) * streamsPerSecond) - 1
    last = now
    if (allowance > 0) return
    afterNotice = 0
    session.goaway(constants.NGHTTP2_NO_ERROR, highestStreamId)
    let timer = setTimeout(() => {
      session.close()
      // The session closes after its last stream, but sometimes does not if streams were refused meanwhile.
      timer = setInterval(endIfDone, notice)
    }, notice)
    session.once('close', () => clearTimeout(timer))
  })
}
