// Makes small calls one after the other, and says each second how many have been answered.
import { performance } from 'node:perf_hooks'
import { framed, RawClient, text } from './raw-client.ts'

const client = new RawClient(process.argv[2]!)
const calls = [
  { method: 'version.v1.Version/Version', message: framed(Buffer.of()) },
  { method: 'containers.v1.Containers/Get', message: framed(text(1, 'container-1')) },
  { method: 'containers.v1.Containers/List', message: framed(Buffer.of()) },
]
let answered = 0
let longest = 0
setInterval(() => {
  console.log(JSON.stringify({ answered, longest: Math.round(longest) }))
  answered = 0
  longest = 0
}, 1000)
for (;;) {
  for (const { method, message } of calls) {
    const start = performance.now()
    const got = await client.call(method, message)
    // One that meets the end of its connection is made again, as stock clients do.
    if (got === undefined) continue
    if (got !== '0') throw new Error(`${method} ended with ${got}`)
    answered++
    longest = Math.max(longest, performance.now() - start)
  }
}
