import { type NetworkList, parseNetworkList } from './network-list.ts'

/** The loopback network: its interface is `lo`. */
export const loopbackNetwork: NetworkList = parseNetworkList(
  JSON.stringify({ cniVersion: '0.3.1', name: 'cni-loopback', plugins: [{ type: 'loopback' }] }),
  'loopback',
)
