/** How many at a time; each takes a thread for a while. */
const concurrency = 8

/** Does something with all items, some of them at a time. After a failure no further one is begun. */
export async function inParallel<T>(items: Iterable<T>, body: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let failed = false
  const lane = async () => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        await body(next.value)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
}
