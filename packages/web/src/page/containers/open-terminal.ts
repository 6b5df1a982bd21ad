import { FitAddon } from '@xterm/addon-fit'
import { Terminal } from '@xterm/xterm'
import '@xterm/xterm/css/xterm.css'
import { adoptStyles } from './adopt-styles.ts'

interface TerminalOptions {
  readonly namespace: string
  readonly container: string
  /** Takes what is to be told of the connection. */
  readonly onStatus: (text: string) => void
  /** Ends the terminal and the shell. */
  readonly signal: AbortSignal
}

/** Shows a shell inside a container: its bytes go over a WebSocket, both ways. */
export function openTerminal(
  place: HTMLElement,
  { namespace, container, onStatus, signal }: TerminalOptions,
): void {
  const unadopt = adoptStyles(place)
  const terminal = new Terminal({
    fontFamily: 'ui-monospace, monospace',
    fontSize: 13,
    screenReaderMode: true,
    scrollback: 2_000,
  })
  const fit = new FitAddon()
  terminal.loadAddon(fit)
  terminal.open(place)
  fit.fit()
  terminal.focus()

  const query = new URLSearchParams({ namespace, container })
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/terminal?${query}`)
  socket.binaryType = 'arraybuffer'
  const encoder = new TextEncoder()
  const resize = () => {
    if (socket.readyState === WebSocket.OPEN)
      socket.send(JSON.stringify({ resize: [terminal.cols, terminal.rows] }))
  }
  const send = (data: Uint8Array<ArrayBuffer>) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(data)
  }
  let ended = false
  socket.addEventListener('open', () => {
    onStatus('Connected.')
    resize()
  })
  socket.addEventListener('message', ({ data }) => {
    if (typeof data !== 'string') {
      terminal.write(new Uint8Array(data))
      return
    }
    const { exit } = JSON.parse(data)
    ended = true
    onStatus(`The shell has ended with status ${Number(exit)}.`)
  })
  socket.addEventListener('close', ({ reason }) => {
    if (!ended) onStatus(reason === '' ? 'The connection has ended.' : `The connection has ended: ${reason}`)
  })
  terminal.onData((data) => send(encoder.encode(data)))
  terminal.onBinary((data) => send(Uint8Array.from(data, (character) => character.charCodeAt(0))))
  terminal.onResize(resize)
  const observer = new ResizeObserver(() => fit.fit())
  observer.observe(place)
  signal.addEventListener('abort', () => {
    observer.disconnect()
    socket.close()
    terminal.dispose()
    unadopt()
  })
}
