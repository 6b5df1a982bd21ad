const { port1: port, port2 } = new MessageChannel()
// Both ends are closed, so a message is dropped at once.
port2.close()
port.close()

/**
 * Frees a buffer at once; its length becomes 0. V8's collector would free it too, but it runs a full collection
 * whenever 64 MB of buffers were allocated, which for a stream is several times a second.
 */
export function freeMemory(memory: ArrayBuffer): void {
  // Transferring a buffer takes it from the sender, whether or not there is a receiver.
  port.postMessage(undefined, [memory])
}
