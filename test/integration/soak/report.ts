import { consequences } from './consequences.ts'
import type { Phase, SoakReport } from './soak.ts'

/** By how much the memory of a program may seem to grow, in KiB: V8's heap comes and goes by as much. */
const noise = { server: 8192, supervisor: 2048 }

/**
 * What is wrong: faults, what stayed, and memory that grew over the steady phases. A trend is told of nine of them or
 * more, by the medians of their second and last thirds: heaps grow to their ordinary size in the first.
 */
export function problems({ phases, faults }: SoakReport): string[] {
  const steady = phases.filter(({ kind }) => kind === 'steady')
  return [
    ...faults.map((fault) => `${fault.namespace}, ${fault.operation}: ${fault.message}`),
    ...phases.flatMap(({ leaks }, index) => leaks.map((leak) => `phase ${index + 1} left ${leak}`)),
    ...(['server', 'supervisor'] as const).flatMap((program) => {
      const growth = growthOf(steady, program)
      if (growth === undefined || growth < noise[program]) return []
      return [`memory of the ${program} grew by ${growth} KiB in a third of ${steady.length} phases`]
    }),
  ]
}

function growthOf(steady: readonly Phase[], program: 'server' | 'supervisor'): number | undefined {
  if (steady.length < 9) return undefined
  const sizes = steady.map(({ footprint }) => footprint[program]?.memory ?? 0)
  const third = Math.floor(sizes.length / 3)
  return median(sizes.slice(-third)) - median(sizes.slice(-2 * third, -third))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** A report for people, as Markdown. */
export function markdown(report: SoakReport): string {
  const { seed, phases, operations, kills, consequences: suffered } = report
  const count = Object.values(operations).reduce((sum, each) => sum + each, 0)
  const minutes = phases.reduce((sum, { seconds }) => sum + seconds, 0) / 60
  const found = problems(report)
  const grown = (['server', 'supervisor'] as const).flatMap((program) => {
    const growth = growthOf(
      phases.filter(({ kind }) => kind === 'steady'),
      program,
    )
    return growth === undefined ? [] : [`${program} ${growth} KiB`]
  })
  return [
    `Seed \`${seed}\`: ${count} operations in ${minutes.toFixed(1)} minutes and ${phases.length} phases. Killed: ` +
      `server ${kills.server} times, supervisor ${kills.supervisor}, both at once ${kills.both}.` +
      (grown.length > 0
        ? ` Growth of memory from the second to the last third of the steady phases: ${grown.join(', ')}.`
        : ''),
    table(
      ['phase', 'kind', 'seconds', 'server, KiB', 'descriptors', 'supervisor, KiB', 'descriptors', 'left'],
      [
        [
          '',
          'the beginning',
          '',
          report.beginning.server.memory,
          report.beginning.server.descriptors,
          '',
          '',
          '',
        ],
        ...phases.map(({ kind, seconds, footprint: { server, supervisor }, leaks }, index) => [
          ...[index + 1, kind, Math.round(seconds), server.memory, server.descriptors],
          ...[supervisor?.memory ?? '', supervisor?.descriptors ?? '', leaks.length],
        ]),
      ],
    ),
    table(['operation', 'times'], Object.entries(operations)),
    table(
      ['consequence of a kill', 'times', 'why'],
      Object.entries(consequences).map(([name, why]) => [
        name,
        suffered[name as keyof typeof suffered] ?? 0,
        why,
      ]),
    ),
    found.length === 0 ? 'Nothing is wrong.' : ['Wrong:', '', ...found.map((line) => `- ${line}`)].join('\n'),
  ].join('\n\n')
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
