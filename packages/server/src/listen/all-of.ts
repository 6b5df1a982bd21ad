import type { HttpServers } from './http-servers.ts'

/** Several listeners as one. The function is called for each operation. */
export function allOf(listeners: () => readonly HttpServers[]): Pick<HttpServers, 'close' | 'destroy'> {
  return {
    async close() {
      await Promise.all(listeners().map((each) => each.close()))
    },
    destroy() {
      for (const each of listeners()) each.destroy()
    },
  }
}
