/**
 * What differs between two texts, line by line: `-` before what only the first has, `+` before what only the second
 * has, in the order of both. The lines that they share are those of a longest common subsequence, and are left out.
 */
export function lineDifference(first: readonly string[], second: readonly string[]): string[] {
  // The length of the longest common subsequence of what begins at i and at j.
  const common = Array.from({ length: first.length + 1 }, () => new Array<number>(second.length + 1).fill(0))
  for (let i = first.length - 1; i >= 0; i--) {
    for (let j = second.length - 1; j >= 0; j--) {
      common[i]![j] =
        first[i] === second[j] ? common[i + 1]![j + 1]! + 1 : Math.max(common[i + 1]![j]!, common[i]![j + 1]!)
    }
  }
  const difference: string[] = []
  for (let i = 0, j = 0; i < first.length || j < second.length; ) {
    if (i < first.length && j < second.length && first[i] === second[j]) {
      i++
      j++
    } else if (j === second.length || (i < first.length && common[i + 1]![j]! >= common[i]![j + 1]!)) {
      difference.push(`-${first[i++]}`)
    } else {
      difference.push(`+${second[j++]}`)
    }
  }
  return difference
}
