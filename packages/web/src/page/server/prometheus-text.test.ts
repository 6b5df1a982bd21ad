import { expect, it } from 'vitest'
import { summarize } from './metrics-summary.ts'
import { prometheusSamples } from './prometheus-text.ts'

it('reads labels with escapes, special numbers and times, and passes over all else', () => {
  const text = String.raw`# HELP a_total x
# TYPE a_total counter
a_total 3
a_total{name="q\"uo\\te",other="line\nbreak, }"} 1.5e3 1700000000000
b{le="+Inf"} +Inf
this is no sample
c{__proto__="x"} NaN
`
  const [first, second, third, fourth, ...rest] = prometheusSamples(text)
  expect(first).toEqual({ name: 'a_total', labels: {}, value: 3 })
  expect({ ...second!.labels }).toEqual({ name: 'q"uo\\te', other: 'line\nbreak, }' })
  expect([second!.value, third!.value, fourth!.value]).toEqual([1500, Number.POSITIVE_INFINITY, Number.NaN])
  expect(rest).toEqual([])
})

it('sums up what the server tells of itself', () => {
  const text = `process_resident_memory_bytes 1000
nsbox_calls_total{service="s.S",method="M",code="ok"} 4
nsbox_calls_total{service="s.S",method="M",code="not_found"} 1
nsbox_calls_total{service="s.S",method="N",code="ok"} 9
nsbox_call_duration_seconds_sum{service="s.S",method="M"} 10
nsbox_call_duration_seconds_count{service="s.S",method="M"} 5
nsbox_event_loop_active_seconds_total 2
nsbox_event_loop_idle_seconds_total 8
nsbox_event_loop_delay_seconds_bucket{le="0.01"} 90
nsbox_event_loop_delay_seconds_bucket{le="0.1"} 100
nsbox_event_loop_delay_seconds_bucket{le="+Inf"} 100
nsbox_collection_duration_seconds_sum 3
nsbox_collection_duration_seconds_count 2
nsbox_collected_objects_total{kind="blob"} 7
`
  expect(summarize(prometheusSamples(text), 1)).toEqual({
    ...{ at: 1, calls: 14, memory: 1000, busy: 2, idle: 8, loopDelay: 0.1 },
    methods: [
      { method: 's.S/N', calls: 9, mean: undefined },
      { method: 's.S/M', calls: 5, mean: 2 },
    ],
    collector: { runs: 2, failures: 0, mean: 1.5, objects: 7, bytes: 0 },
  })
  expect(summarize([], 1)).toMatchObject({ calls: 0, memory: undefined, loopDelay: undefined, methods: [] })
})
