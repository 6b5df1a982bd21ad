import type { LeaseStore } from '@nsbox/core/leases'
import { type ErrorCode, errorCode } from '@nsbox/errors'
import { expect, type TestFunction, test } from 'vitest'

/** Makes a store that holds nothing, and takes it away again when it is disposed of. */
export type CreateLeaseStore = () => Promise<{ readonly store: LeaseStore } & AsyncDisposable>

/** Declares a test on a store of its own. */
export type StoreTest = (name: string, body: (store: LeaseStore) => Promise<void>) => void

/** @param claimed whether the store promises what is tested; if not, the tests are listed as skipped */
export function storeTest(create: CreateLeaseStore, claimed = true): StoreTest {
  return (name, body) => {
    const run: TestFunction = async () => {
      await using subject = await create()
      await body(subject.store)
    }
    if (claimed) test(name, run)
    else test.skip(`${name} (not claimed)`, run)
  }
}

export async function expectCode(operation: Promise<unknown>, code: ErrorCode): Promise<void> {
  const outcome = await operation.then(() => 'success', errorCode)
  expect(outcome).toBe(code)
}
