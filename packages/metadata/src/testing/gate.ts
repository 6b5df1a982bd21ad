/** Blocks callers while it is closed. */
export class Gate {
  #closed: Promise<void> = Promise.resolve()
  #open = () => {}

  close(): void {
    this.#closed = new Promise((resolve) => {
      this.#open = resolve
    })
  }

  open(): void {
    this.#open()
  }

  passed(): Promise<void> {
    return this.#closed
  }
}
