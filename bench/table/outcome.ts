import { median } from '../median.ts'
import type { Measured, Row } from './row.ts'

/** A row with what was measured of it. */
export interface Outcome {
  readonly row: Row
  readonly ours: readonly number[]
  readonly containerds: readonly number[]
  /** Median of ours by that of containerd's; none without both. */
  readonly ratio?: number
  /** None without a goal. */
  readonly met?: boolean
}

/** Puts all values of all rounds together. */
export function outcomes(
  rows: readonly Row[],
  ours: readonly Measured[],
  containerds: readonly Measured[],
): Outcome[] {
  return rows.flatMap((row) => {
    const values = (measured: readonly Measured[]) => measured.flatMap(({ [row.id]: each = [] }) => each)
    const outcome = { row, ours: values(ours), containerds: values(containerds) }
    if (outcome.ours.length === 0) return []
    const ratio =
      outcome.containerds.length === 0 ? undefined : median(outcome.ours) / median(outcome.containerds)
    const met = isMet(outcome, ratio)
    return [{ ...outcome, ...(ratio !== undefined && { ratio }), ...(met !== undefined && { met }) }]
  })
}

function isMet({ row, ours }: Pick<Outcome, 'row' | 'ours'>, ratio: number | undefined): boolean | undefined {
  const { goal, unit } = row
  if (goal === undefined) return undefined
  if (goal.most !== undefined && median(ours) > goal.most) return false
  if (goal.ratio === undefined) return true
  if (ratio === undefined) return undefined
  return unit === 'per s' ? ratio >= goal.ratio : ratio <= goal.ratio
}
