import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { isErrno, isNsboxError } from '@nsbox/errors'
import { startEmbeddedServer } from './embedded-server.ts'
import type { GlobalOptions } from './global-options.ts'
import { complain } from './print.ts'

/** The server of a data root that a command without a daemon works with. */
export interface DataRootServer extends AsyncDisposable {
  readonly address: string
  /** Whether it ends with a command, this one or another. */
  readonly isEmbedded: boolean
}

/** Milliseconds between two attempts to get the data root. */
const pause = 100

/** Milliseconds after which a command that has done its work says what it still waits for. */
const patience = 500

/**
 * Runs a server inside this process, or finds the one that has the data root already: that of another command, which
 * serves others until they end, or a daemon. Where the holder cannot be reached, this waits for its end, and says so.
 *
 * @param options.signal ends the waiting, also that for commands that this one serves
 */
export async function dataRootServer(
  options: GlobalOptions,
  { signal }: { readonly signal: AbortSignal },
): Promise<DataRootServer> {
  for (let told = false; ; told = true) {
    try {
      return await ownServer(options, signal)
    } catch (error) {
      const holder = holderIn(error)
      if (holder === undefined) throw error
      const found = holder.address === undefined ? undefined : await serverAt(holder.address)
      if (found) return { ...found, isEmbedded: holder.isTemporary }
      if (!told) complain(`waiting: ${holder.reason}`)
      await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

async function ownServer(options: GlobalOptions, signal: AbortSignal): Promise<DataRootServer> {
  const server = await startEmbeddedServer(options)
  return {
    address: server.address,
    isEmbedded: true,
    async [Symbol.asyncDispose]() {
      const notice = setTimeout(() => {
        complain('done; serving other commands, which use the same data root, until they end')
      }, patience)
      try {
        await server.unused({ signal })
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        clearTimeout(notice)
        await server[Symbol.asyncDispose]()
      }
    },
  }
}

/** Who has a data root. */
interface Holder {
  readonly address: string | undefined
  readonly isTemporary: boolean
  readonly reason: string
}

function holderIn(error: unknown): Holder | undefined {
  if (!isNsboxError(error)) return undefined
  const { inUse, address, temporary } = error.details
  if (inUse !== true) return undefined
  return {
    address: typeof address === 'string' ? address : undefined,
    isTemporary: temporary === true,
    reason: error.message,
  }
}

/** A server that answers. The connection is kept, so that the command which it belongs to does not end before. */
async function serverAt(
  address: string,
): Promise<(Pick<DataRootServer, 'address'> & AsyncDisposable) | undefined> {
  const socket = await connected(address)
  if (socket === undefined) return undefined
  socket.on('error', () => undefined)
  return { address, [Symbol.asyncDispose]: async () => void socket.destroy() }
}

function connected(address: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error) => {
      if (['ENOENT', 'ECONNREFUSED', 'EAGAIN'].some((code) => isErrno(error, code))) resolve(undefined)
      else reject(error)
    })
  })
}
