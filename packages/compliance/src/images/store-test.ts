import type { Image, ImageStore } from '@nsbox/core/images'
import { type ErrorCode, errorCode } from '@nsbox/errors'
import { type Descriptor, digestOf } from '@nsbox/oci'
import { expect, type TestFunction, test } from 'vitest'

/** Makes a store that holds nothing, and takes it away again when it is disposed of. */
export type CreateImageStore = () => Promise<{ readonly store: ImageStore } & AsyncDisposable>

/** Declares a test on a store of its own. */
export type StoreTest = (name: string, body: (store: ImageStore) => Promise<void>) => void

/** @param claimed whether the store promises what is tested; if not, the tests are listed as skipped */
export function storeTest(create: CreateImageStore, claimed = true): StoreTest {
  return (name, body) => {
    const run: TestFunction = async () => {
      await using subject = await create()
      await body(subject.store)
    }
    if (claimed) test(name, run)
    else test.skip(`${name} (not claimed)`, run)
  }
}

/** A target whose content exists nowhere. */
export function target(seed: string, more: Partial<Descriptor> = {}): Descriptor {
  return {
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: digestOf(`target ${seed}`),
    size: 500,
    ...more,
  }
}

/** An image whose maps can be compared with literals, whatever prototypes they have. */
export function plain(image: Image) {
  const { annotations, ...rest } = image.target
  return {
    ...image,
    target: { ...rest, ...(annotations && { annotations: { ...annotations } }) },
    labels: { ...image.labels },
  }
}

export async function expectCode(operation: Promise<unknown>, code: ErrorCode): Promise<void> {
  const outcome = await operation.then(() => 'success', errorCode)
  expect(outcome).toBe(code)
}
