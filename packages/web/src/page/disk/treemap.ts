/** A rectangle within a square of side 1. */
export interface Rectangle {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * Divides a rectangle into one for each weight, with areas in proportion, as near to squares as rows of them allow
 * (Bruls, Huizing and van Wijk, "Squarified Treemaps", 2000).
 *
 * @param weights the largest first; none below 0
 * @returns as many, in the same order; those of weight 0 have no area
 */
export function treemap(weights: readonly number[], within: Rectangle): Rectangle[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return weights.map(() => ({ x: within.x, y: within.y, width: 0, height: 0 }))
  const scale = (within.width * within.height) / total
  const placed: Rectangle[] = []
  let left = within
  for (let from = 0; from < weights.length; ) {
    const areas = weights.slice(from).map((weight) => weight * scale)
    const count = rowLength(areas, Math.min(left.width, left.height))
    const row = areas.slice(0, count)
    placed.push(...placeRow(row, left))
    left = withoutRow(row, left)
    from += count
  }
  return placed
}

/** How many areas a row takes until one more would make its longest rectangle longer. */
function rowLength(areas: readonly number[], side: number): number {
  const largest = areas[0] ?? 0
  let [sum, best] = [0, Number.POSITIVE_INFINITY]
  for (const [index, area] of areas.entries()) {
    if (area === 0) return areas.length
    sum += area
    const thickness = sum / side
    const longest = Math.max(largest / thickness ** 2, thickness ** 2 / area)
    if (longest > best) return index
    best = longest
  }
  return areas.length
}

function placeRow(row: readonly number[], { x, y, width, height }: Rectangle): Rectangle[] {
  const thickness = thicknessOf(row, { x, y, width, height })
  let at = 0
  return row.map((area) => {
    const length = thickness === 0 ? 0 : area / thickness
    const place =
      width >= height
        ? { x, y: y + at, width: thickness, height: length }
        : { x: x + at, y, width: length, height: thickness }
    at += length
    return place
  })
}

function withoutRow(row: readonly number[], { x, y, width, height }: Rectangle): Rectangle {
  const thickness = thicknessOf(row, { x, y, width, height })
  return width >= height
    ? { x: x + thickness, y, width: Math.max(width - thickness, 0), height }
    : { x, y: y + thickness, width, height: Math.max(height - thickness, 0) }
}

/** How far a row reaches from the shorter side that it lies along. */
function thicknessOf(row: readonly number[], { width, height }: Rectangle): number {
  const side = Math.min(width, height)
  return side === 0 ? 0 : row.reduce((sum, area) => sum + area, 0) / side
}
