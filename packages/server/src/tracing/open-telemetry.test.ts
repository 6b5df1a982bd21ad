import { expect, test } from 'vitest'
import { hasSdk, openTelemetry } from './open-telemetry.ts'

test('without an SDK nothing is traced', async () => {
  expect(hasSdk()).toBe(false)
  expect(await openTelemetry()).toBeUndefined()
})
