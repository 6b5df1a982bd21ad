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
    // What a router may bring here need not be this machine, and is not to be trusted as such.
    '[64:ff9b::127.0.0.1]',
    '[::127.0.0.1]',
  ]
  for (const host of outside) expect(isLoopback(hostname(host)), host).toBe(false)
})

it('E10 knows addresses that are good inside only, in every form', () => {
  for (const host of [
    '169.254.169.254',
    '0.0.0.0',
    '[::]',
    '[fe80::1]',
    '[::ffff:169.254.1.1]',
    '[::ffff:0.0.0.0]',
    '0.1.2.3',
    '[fe80::1]',
    '[febf:ffff::1]',
    '[::127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
    '[64:ff9b:1::169.254.169.254]',
    '[2002:7f00:1::]',
    '[2002:a9fe:a9fe::1]',
    '[fd00:ec2::254]',
    '[fd20:ce::254]',
    '100.100.100.200',
    '[::ffff:100.100.100.200]',
    '168.63.129.16',
    '192.0.0.192',
    'localhost',
  ])
    expect(isInward(hostname(host)), host).toBe(true)
  // As the resolver gives it.
  expect(isInward('fe80::1%eth0')).toBe(true)
  const outside = ['10.0.0.1', '192.168.1.1', '100.100.100.201', '[fd00::1]', '[fd00:ec2::255]']
  for (const host of [...outside, '[2002:808:808::]', '[64:ff9b::8.8.8.8]', '[fec0::1]', 'registry.example'])
    expect(isInward(hostname(host)), host).toBe(false)
})
