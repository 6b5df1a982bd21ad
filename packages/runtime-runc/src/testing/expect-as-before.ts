import { expect } from 'vitest'
import type { CheckpointLab } from './checkpoint-lab.ts'

/** Checks that a task is as before a checkpoint, of which nothing is left. */
export async function expectAsBefore(lab: CheckpointLab, status: 'running' | 'paused'): Promise<void> {
  expect(await lab.tasks.get('x')).toMatchObject({ status })
  expect(await lab.real.state('x')).toMatchObject({ status })
  expect(await lab.left()).toEqual([])
  expect(await lab.dumpers()).toEqual([])
  if (status === 'running') await lab.counts()
}
