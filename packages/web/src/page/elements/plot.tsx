import { effect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { theme } from './theme.ts'

interface PlotProps {
  /** Times in seconds, and values at these. */
  readonly points: readonly (readonly [at: number, value: number])[]
  /** The least value at the top of the plot. */
  readonly ceiling?: number | undefined
  readonly width: number
  readonly height: number
  /** What a screen reader says in place of it. */
  readonly label: string
}

/** A small plot of a value over time, without axes: the number beside it tells the scale. */
export function Plot({ points, ceiling = 0, width, height, label }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const top = useRef(ceiling)
  top.current = ceiling
  useEffect(() => {
    const make = () => {
      plot.current?.destroy()
      plot.current = new UPlot(
        options(place.current!, {
          width,
          height,
          range: (_, __, most) => [0, Math.max(most * 1.1, top.current, 1e-9)],
        }),
        columns(points),
        place.current!,
      )
    }
    // The colours of a canvas do not follow those of the page.
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', make)
    const end = effect(() => {
      theme.value
      make()
    })
    return () => {
      scheme.removeEventListener('change', make)
      end()
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [width, height])
  useEffect(() => plot.current?.setData(columns(points)), [points])
  return <div class="plot" ref={place} role="img" aria-label={label} />
}

function columns(points: PlotProps['points']): UPlot.AlignedData {
  return [points.map(([at]) => at), points.map(([, value]) => value)]
}

interface Shape {
  readonly width: number
  readonly height: number
  readonly range: UPlot.Range.Function
}

function options(place: Element, { width, height, range }: Shape): UPlot.Options {
  // A canvas knows no variables of style sheets.
  const { stroke, fill } = getComputedStyle(place)
  return {
    ...{ width, height },
    padding: [1, 0, 1, 0],
    legend: { show: false },
    cursor: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: { x: { time: true }, y: { range } },
    series: [
      {},
      {
        stroke,
        fill,
        width: 1.25,
        points: { show: false },
      },
    ],
  }
}
