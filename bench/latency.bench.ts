import { startLoad } from './load.js'
import { describeLoad, measureFsyncMs } from './machine.js'
import type { Latencies } from './paced.js'
import { AEDES, BENCHLOG, startPeers } from './peers.js'
import type { Print, Scenario } from './scenario.js'
import { renderTable, verdict } from './table.js'

const PACE = { connections: 10, messagesPerSecond: 1000, seconds: 10 } as const
const WARM_UP = { connections: 10, inFlight: 100, messages: 5000, limitMs: 1500 } as const

/** p99 of publish → acknowledged, ms, by the time of an fsync. */
const floorMs = (fsyncMs: number): number => (fsyncMs < 1 ? 5 : 5 * fsyncMs)

/** How long a publisher waits for its PUBACK, and a subscriber for the message, at a rate far above a busy bench's. */
export const latencyScenario: Scenario = {
  name: 'latency',
  summary: '1000 events/s over 10 connections for 10 s: ms from publish to PUBACK, and to a subscriber',
  async run(print: Print) {
    const { peers, stop } = await startPeers()
    const load = startLoad()
    try {
      for (const { port } of peers) await load.flood({ port, ...WARM_UP })
      const figures = new Map<string, Latencies>()
      for (const { name, port } of peers) figures.set(name, await load.paced({ port, ...PACE }))
      const bare = figures.get(AEDES)?.acknowledged.p99Ms ?? Number.NaN
      const rows = [...figures].map(([name, { acknowledged, delivered }]) => [
        name,
        ...[acknowledged.p50Ms, acknowledged.p99Ms].map(formatMs),
        Number.isFinite(acknowledged.p99Ms) ? `${(acknowledged.p99Ms / bare).toFixed(1)} ×` : '',
        ...[delivered.p50Ms, delivered.p99Ms].map(formatMs),
      ])
      print(renderTable(['', 'ack p50', 'p99', 'ratio of p99', 'delivered p50', 'p99'], rows))
      const p99Ms = figures.get(BENCHLOG)?.acknowledged.p99Ms ?? Number.NaN
      const limitMs = floorMs(measureFsyncMs())
      print(
        verdict(p99Ms < limitMs, `p99 of publish to PUBACK below ${limitMs.toFixed(1)} ms`, `${p99Ms.toFixed(2)} ms`),
      )
      print(describeLoad())
    } finally {
      await load.stop()
      await stop()
    }
  },
}

const formatMs = (ms: number): string => (Number.isFinite(ms) ? ms.toFixed(2) : 'too slow')
