import type { HttpServers } from './http-servers.ts'

type Listener = Pick<HttpServers, 'close' | 'destroy'>

/** Several listeners as one. The function is called for each operation. */
export function allOf(listeners: () => readonly Listener[]): Listener {
  return {
    async close() {
      await Promise.all(listeners().map((each) => each.close()))
    },
    destroy() {
      for (const each of listeners()) each.destroy()
    },
  }
}
