import { expect, it } from 'vitest'
import { isInward, isLoopback } from './loopback.ts'

const hostname = (host: string) => new URL(`http://${host}/`).hostname

it('knows the names and addresses of this machine in every notation that a URL takes', () => {
  const inside = [
    'localhost',
    'LOCALHOST.',
    'a.localhost',
    '127.0.0.1',
    '127.255.0.9',
    '127.1',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '[0:0::1]',
    '[::ffff:127.0.0.1]',
  ]
  for (const host of inside) expect(isLoopback(hostname(host)), host).toBe(true)
  const outside = [
    'localhost.example',
    '128.0.0.1',
    '12.7.0.0',
    'example',
    '[::2]',
    '[fe80::1]',
    '127.0.0.1.example',
  ]
  for (const host of outside) expect(isLoopback(hostname(host)), host).toBe(false)
})

it('knows addresses that are good inside only', () => {
  for (const host of [
    '169.254.169.254',
    '0.0.0.0',
    '[::]',
    '[fe80::1]',
    '[::ffff:169.254.1.1]',
    '[::ffff:0.0.0.0]',
    'localhost',
  ])
    expect(isInward(hostname(host)), host).toBe(true)
  for (const host of ['10.0.0.1', '192.168.1.1', '[fd00::1]', 'registry.example'])
    expect(isInward(hostname(host)), host).toBe(false)
})
