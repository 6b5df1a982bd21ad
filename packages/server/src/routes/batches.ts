/** How many items a message of a listing has. */
const size = 100

/** The items of a listing, in batches for messages. */
export async function* batches<T, M>(
  items: AsyncIterable<T>,
  toMessage: (item: T) => M,
): AsyncGenerator<M[]> {
  let batch: M[] = []
  for await (const item of items) {
    batch.push(toMessage(item))
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
