import { cpus, release, totalmem } from 'node:os'
import { runOrThrow } from '@nsbox/testing'

/** What a table was measured on, by the names that it shows. */
export type Machine = Readonly<Record<string, string>>

/** @param busy what else the machine did at the start */
export async function describeMachine(busy: string): Promise<Machine> {
  const first = async (command: string, ...args: string[]) =>
    (await runOrThrow(command, args)).stdout.split('\n')[0]!.trim()
  const changed = (await runOrThrow('git', ['status', '--porcelain', '--', 'packages', 'scripts'])).stdout
  const [cpu] = cpus()
  return {
    Date: new Date().toISOString().slice(0, 16).replace('T', ' ').concat(' UTC'),
    nsbox: `${await first('git', 'rev-parse', '--short', 'HEAD')}${changed === '' ? '' : ', with changes'}`,
    Node: await first('node', '--version'),
    containerd: (await first('containerd', '--version')).split(' ').slice(2, 3).join(),
    runc: (await first('runc', '--version')).replace('runc version ', ''),
    'Docker Engine': (await first('dockerd', '--version')).replace(/^Docker version |, build.*$/g, ''),
    Machine: `${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}`,
    'Other load': busy,
  }
}
