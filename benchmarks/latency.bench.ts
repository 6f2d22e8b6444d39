import { startLoad } from './load.js'
import { describeLoad, measureFsyncMs } from './machine.js'
import type { Latencies } from './paced.js'
import { AEDES, BENCHLOG, startPeers } from './peers.js'
import { type Latency, medianLatency } from './quantiles.js'
import type { Print, Scenario } from './scenario.js'
import { renderTable, verdict } from './table.js'

const PACE = { connections: 10, messagesPerSecond: 1000, seconds: 5 } as const
const ROUNDS = 3
/** At the same pace: after a flood the disk would be busy for some seconds. */
const WARM_UP = { ...PACE, seconds: 2 } as const

/** p99 of publish → acknowledged, ms, by the time of an fsync. */
const floorMs = (fsyncMs: number): number => (fsyncMs < 1 ? 5 : 5 * fsyncMs)

/** How long a publisher waits for its PUBACK, and a subscriber for the message, at a rate far above a busy bench's. The brokers, and the
 * bare disk, take turns, so that other work on the machine meets all of them. */
export const latencyScenario: Scenario = {
  name: 'latency',
  summary: '1000 events/s over 10 connections: ms from publish to PUBACK, and to a subscriber',
  async run(print: Print) {
    const { peers, stop } = await startPeers()
    const load = startLoad()
    try {
      for (const { port } of peers) await load.paced({ port, ...WARM_UP })
      const disk: Latency[] = []
      const rounds = new Map<string, Latencies[]>(peers.map(({ name }) => [name, []]))
      for (let round = 0; round < ROUNDS; round++) {
        disk.push(await load.fsync({ perSecond: PACE.messagesPerSecond, seconds: PACE.seconds }))
        for (const { name, port } of peers) rounds.get(name)?.push(await load.paced({ port, ...PACE }))
      }
      report(print, rounds, medianLatency(disk))
    } finally {
      await load.stop()
      await stop()
    }
  },
}

function report(print: Print, rounds: ReadonlyMap<string, readonly Latencies[]>, disk: Latency): void {
  const of = (name: string, what: keyof Latencies): Latency =>
    medianLatency((rounds.get(name) ?? []).map((latencies) => latencies[what]))
  const bareMs = of(AEDES, 'acknowledged').p99Ms
  const rows = [...rounds.keys()].map((name) => {
    const acknowledged = of(name, 'acknowledged')
    return [
      name,
      ...cells(acknowledged),
      Number.isFinite(acknowledged.p99Ms) ? `${(acknowledged.p99Ms / bareMs).toFixed(1)} ×` : '',
      ...cells(of(name, 'delivered')),
      of(name, 'late').p99Ms.toFixed(2),
    ]
  })
  rows.push(['an fsync alone, at the same pace', ...cells(disk), `${(disk.p99Ms / bareMs).toFixed(1)} ×`, '', '', ''])
  print(renderTable(['', 'ack p50', 'p99', 'ratio of p99', 'delivered p50', 'p99', 'sent late p99'], rows))
  const { p99Ms } = of(BENCHLOG, 'acknowledged')
  const limitMs = floorMs(measureFsyncMs())
  print(verdict(p99Ms < limitMs, `p99 of publish to PUBACK below ${limitMs.toFixed(1)} ms`, `${p99Ms.toFixed(2)} ms`))
  print(`median of ${ROUNDS} rounds of ${PACE.seconds} s; ${describeLoad()}`)
}

const cells = ({ p50Ms, p99Ms }: Latency): string[] =>
  [p50Ms, p99Ms].map((ms) => (Number.isFinite(ms) ? ms.toFixed(2) : 'too slow'))
