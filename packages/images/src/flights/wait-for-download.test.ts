import { digestOf } from '@nsbox/oci'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Download, GivesWay } from './download.ts'
import { FlightTable } from './flight-table.ts'
import { Patience } from './patience.ts'
import { WaitForDownload } from './wait-for-download.ts'

const MiB = 1024 * 1024
const blob = { digest: digestOf('blob'), size: 100 * MiB }

let downloads: FlightTable<Download>
let patience: Patience
let wait: WaitForDownload

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
  downloads = new FlightTable()
  patience = new Patience(10_000)
  wait = new WaitForDownload(blob, downloads, patience)
})
afterEach(() => void vi.useRealTimers())

function begin(size = blob.size) {
  const download = new Download(size)
  const end = downloads.begin(blob.digest, download)
  return { download, end: () => end[Symbol.dispose]() }
}

/**
 * Lets seconds pass in which each download gets that many bytes a second; the wait is checked as often as in reality.
 */
async function pass(seconds: number, ...rates: (readonly [Download, number])[]): Promise<void> {
  for (let tick = 0; tick < 5 * seconds; tick += 1) {
    await vi.advanceTimersByTimeAsync(200)
    for (const [download, rate] of rates) download.advance(download.offset + rate / 5)
    void wait.isWorthIt
  }
}

describe('E03 the wait for another download of a blob', () => {
  it('is none for one of another size', () => {
    begin(1e12)
    expect(wait.isWorthIt).toBe(false)
    begin()
    expect(wait.isWorthIt).toBe(true)
  })

  it('goes on as long as that comes briskly', async () => {
    const { download, end } = begin()
    await pass(6, [download, 2 * MiB])
    expect(wait.isWorthIt).toBe(true)
    await pass(4, [download, 4096])
    expect(wait.isWorthIt).toBe(false)
    end()
  })

  it('is at once over for one that was slow before', async () => {
    const { download } = begin()
    await pass(4, [download, 4096])
    expect(new WaitForDownload(blob, downloads, patience).isWorthIt).toBe(false)
  })

  it('is over for one that begins again and again', async () => {
    for (let second = 0; second < 4; second += 1) {
      const { end } = begin()
      await pass(1)
      end()
    }
    begin()
    expect(wait.isWorthIt).toBe(false)
  })

  it('is over with all patience, whether it has one other or more', async () => {
    const { download } = begin()
    let over = false
    const waiting = wait.over({}).then(() => {
      over = true
    })
    await pass(9, [download, 2 * MiB])
    expect(over).toBe(false)
    await pass(2, [download, 2 * MiB])
    await waiting
    begin()
    expect(wait.isWorthIt).toBe(false)
  })
})

describe('E03 a download beside another that was waited for', () => {
  async function besideOne(rate: number) {
    const other = begin()
    const waiting = wait.over({})
    await pass(11, [other.download, 2 * MiB])
    await waiting
    const own = begin()
    await pass(3, [other.download, 2 * MiB], [own.download, rate])
    wait.compare(own.download)
    return { other, own }
  }

  it('gives way to that which will be there sooner, and goes on once it will not', async () => {
    const { other, own } = await besideOne(MiB)
    expect(own.download.stopped.reason).toBeInstanceOf(GivesWay)
    own.end()
    expect(wait.isWorthIt).toBe(true)
    await pass(20, [other.download, 2 * MiB])
    expect(wait.isWorthIt).toBe(true)
    await pass(4)
    expect(wait.isWorthIt).toBe(false)
  })

  it('goes on after a longer while to try again', async () => {
    const { other, own } = await besideOne(4096)
    expect(own.download.stopped.aborted).toBe(true)
    own.end()
    const waiting = wait.over({})
    await pass(7, [other.download, 2 * MiB])
    expect(wait.isWorthIt).toBe(true)
    await pass(2, [other.download, 2 * MiB])
    await waiting
    expect(wait.isWorthIt).toBe(false)
  })

  it('does not give way to one that drips, whatever held it up itself', async () => {
    const other = begin()
    await pass(3, [other.download, 4096])
    void wait.over({})
    const own = begin()
    await pass(5, [other.download, 4096])
    for (const offset of [0, 1]) own.download.advance(offset)
    wait.compare(own.download)
    await pass(3, [other.download, 4096], [own.download, 1])
    wait.compare(own.download)
    expect(own.download.stopped.aborted).toBe(false)
  })

  it('goes on if it is quicker', async () => {
    const { own } = await besideOne(20 * MiB)
    expect(own.download.stopped.aborted).toBe(false)
  })

  it('gives way to nobody if it was there first', async () => {
    const first = begin()
    const second = begin()
    await pass(3, [first.download, 2 * MiB], [second.download, 20 * MiB])
    new WaitForDownload(blob, downloads, patience).compare(first.download)
    expect(first.download.stopped.aborted).toBe(false)
  })
})
