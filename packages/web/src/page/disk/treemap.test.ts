import { expect, it } from 'vitest'
import { type Rectangle, treemap } from './treemap.ts'

const whole = { x: 0, y: 0, width: 2, height: 1 }
const area = ({ width, height }: Rectangle) => width * height

it('gives each weight an area in proportion, within the whole and without overlap', () => {
  const weights = [6, 6, 4, 3, 2, 2, 1]
  const places = treemap(weights, whole)
  for (const [index, place] of places.entries()) {
    expect(area(place)).toBeCloseTo((2 * weights[index]!) / 24)
    expect(place.x + place.width).toBeLessThan(2.000_001)
    expect(place.y + place.height).toBeLessThan(1.000_001)
    for (const other of places.slice(index + 1)) {
      const width = Math.min(place.x + place.width, other.x + other.width) - Math.max(place.x, other.x)
      const height = Math.min(place.y + place.height, other.y + other.height) - Math.max(place.y, other.y)
      expect(Math.min(width, height)).toBeLessThan(0.000_001)
    }
  }
})

it('makes rectangles near to squares', () => {
  const places = treemap(
    Array.from({ length: 8 }, () => 1),
    whole,
  )
  for (const { width, height } of places) expect(Math.max(width / height, height / width)).toBeLessThan(2)
})

it('takes weights of nothing, and none', () => {
  expect(treemap([], whole)).toEqual([])
  expect(treemap([0, 0], whole).map(area)).toEqual([0, 0])
  expect(treemap([3, 0, 0], whole).map(area)).toEqual([2, 0, 0])
})
