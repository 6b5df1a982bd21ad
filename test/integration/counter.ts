import { expect } from 'vitest'

/**
 * A program for busybox that counts, and writes each number to a file and to its output. It waits by a system call that
 * CRIU may interrupt without harm; busybox's `sleep` would end.
 *
 * @param memory bytes that it fills before it counts; none by default
 */
export function counter(memory = 0): readonly string[] {
  const fill = memory === 0 ? '' : `m=$(head -c ${memory} /dev/zero | tr '\\0' m); `
  const loop = 'i=0; while true; do i=$((i+1)); echo $i >> /numbers; echo $i; read -t 0.05 x <&9; done'
  return ['sh', '-c', `${fill}mkfifo /wait; exec 9<>/wait; ${loop}`]
}

/** What a counter has counted, by the text of its file; none left out or said twice. */
export function counted(text: string): number {
  const numbers = text.split('\n').slice(0, -1).map(Number)
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  return numbers.length
}
