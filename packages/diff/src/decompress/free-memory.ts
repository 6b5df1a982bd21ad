const { port1: port, port2 } = new MessageChannel()
// Nobody listens, so what is sent is gone at once.
port2.close()
port.close()

/**
 * Frees memory that nobody uses any more, which becomes empty. The collector would do so too, but it goes through all
 * that lives whenever 64 MB of such memory were allocated: several times a second for a stream.
 */
export function freeMemory(memory: ArrayBuffer): void {
  // Of the memory that is handed over with a message the sender keeps nothing, whether or not there is a receiver.
  port.postMessage(undefined, [memory])
}
