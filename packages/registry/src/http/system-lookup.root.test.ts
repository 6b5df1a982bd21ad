import { createSocket } from 'node:dgram'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { addressesIn } from './system-lookup.ts'

it('finds a name in a file of hosts', () => {
  const hosts = '127.0.0.1\tlocalhost\n# 1.2.3.4 a.test\n192.0.2.1  A.test b.test # c.test\n::1 a.test\n\nx'
  expect(addressesIn(hosts, 'a.test.')).toEqual([
    { address: '192.0.2.1', family: 4 },
    { address: '::1', family: 6 },
  ])
  for (const name of ['c.test', 'test', '192.0.2.1', '']) expect(addressesIn(hosts, name)).toEqual([])
})

/** A DNS server that knows one address of every name, and says nothing at all about names in `evil`. */
async function startNameServer(address: string) {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (question, { port, address }) => {
    const labels: string[] = []
    let at = 12
    for (; question[at] !== 0; at += question[at]! + 1)
      labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!))
    asked.push(labels.join('.'))
    if (labels.at(-1) === 'evil') return
    const isIPv4 = question.readUInt16BE(at + 1) === 1
    // RFC 1035 §4.1: the question again, as an answer with one record or none.
    const head = Buffer.from(question.subarray(0, at + 5))
    head.writeUInt16BE(0x8180, 2)
    head.writeUInt16BE(isIPv4 ? 1 : 0, 6)
    head.writeUInt32BE(0, 8)
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7])
    socket.send(isIPv4 ? Buffer.concat([head, record]) : head, port, address)
  })
  await new Promise<void>((resolve) => socket.bind(53, address, resolve))
  return { asked, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(resolve)) }
}

describeWith({ root: true, linux: true, programs: ['unshare', 'mount'] }, 'a lookup', () => {
  it('E03 does not wait for fifty others for which no server answers', async () => {
    await using directory = await tempDir('nsbox-lookup')
    await using server = await startNameServer('127.53.0.1')
    const [resolv, hosts] = [join(directory.path, 'resolv.conf'), join(directory.path, 'hosts')]
    await writeFile(resolv, 'nameserver 127.53.0.1\noptions timeout:5 attempts:2\n')
    await writeFile(hosts, '192.0.2.9 listed.test\n')
    const module = fileURLToPath(new URL('./system-lookup.ts', import.meta.url))
    const program = `
      import { writeSync } from 'node:fs'
      import { systemLookup } from ${JSON.stringify(module)}
      const evil = Array.from({ length: 50 }, (_, n) => systemLookup('a' + n + '.evil', {}).catch(() => 'none'))
      const ended = Promise.race(evil).then(() => 'an evil one')
      const good = ['good.test', 'listed.test', 'good.test'].map((name) => systemLookup(name, { family: 4 }))
      writeSync(1, JSON.stringify(await Promise.race([ended, Promise.all(good)])))
      // An orderly end would wait for the threads of the others.
      process.kill(process.pid, 'SIGKILL')`
    const files = `mount --bind ${resolv} /etc/resolv.conf && mount --bind ${hosts} /etc/hosts`
    const node = [process.execPath, '--conditions=@nsbox/source', '--import', import.meta.resolve('tsx')]
    const { stdout } = await run(
      'unshare',
      [
        '--mount',
        'sh',
        '-c',
        `${files} && exec "$@"`,
        'sh',
        ...node,
        '--input-type=module',
        '--eval',
        program,
      ],
      { timeout: 60_000 },
    )
    const [good, listed] = [[{ address: '192.0.2.7', family: 4 }], [{ address: '192.0.2.9', family: 4 }]]
    expect(JSON.parse(stdout)).toEqual([good, listed, good])
    expect(server.asked).not.toContain('listed.test')
  })
})
