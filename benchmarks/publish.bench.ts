import { startLoad } from './load.js'
import { describeLoad } from './machine.js'
import { AEDES, BENCHLOG, startPeers } from './peers.js'
import { median } from './quantiles.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'

const CONNECTIONS = [1, 10, 50] as const
const FLOOR = { connections: 10, ratio: 0.8 } as const
const ROUNDS = 3
const ROUND = { inFlight: 100, messages: 100_000, limitMs: 3000 } as const
/** Until the code of both brokers is compiled. */
const WARM_UP = { inFlight: 100, messages: 50_000, connections: 10, limitMs: 3000 } as const
/** A slow broker gets fewer messages, so that a round lasts about so long. */
const ROUND_S = 1.5

/** Durable publishing against brokers that keep less. The brokers take turns, so that other work on the machine meets all of them. */
export const publishScenario: Scenario = {
  name: 'publish',
  summary: 'QoS 1 publishing, 60 B retained payloads, 100 in flight per connection: messages/s acknowledged',
  async run(print: Print) {
    const { peers, stop } = await startPeers()
    const load = startLoad()
    try {
      const bounds = new Map<string, number>()
      for (const { name, port } of peers) bounds.set(name, ROUND_S * (await load.flood({ port, ...WARM_UP })))
      const rates = new Map<string, number[]>()
      for (let round = 0; round < ROUNDS; round++) {
        for (const connections of CONNECTIONS) {
          for (const { name, port } of peers) {
            const key = keyOf(name, connections)
            const messages = Math.min(ROUND.messages, bounds.get(name) ?? 0)
            const perSecond = await load.flood({ port, connections, ...ROUND, messages })
            rates.set(key, [...(rates.get(key) ?? []), perSecond])
          }
        }
      }
      const rate = (name: string, connections: number): number => median(rates.get(keyOf(name, connections)) ?? [])
      const ratio = (name: string, connections: number): number => rate(name, connections) / rate(AEDES, connections)
      const rows = peers.map(({ name }) => [
        name,
        ...CONNECTIONS.flatMap((count) => [formatCount(rate(name, count)), `${ratio(name, count).toFixed(2)} ×`]),
      ])
      print(renderTable(['', ...CONNECTIONS.flatMap((count) => [`${count} conn.`, 'ratio'])], rows))
      const reached = ratio(BENCHLOG, FLOOR.connections)
      print(
        verdict(
          reached >= FLOOR.ratio,
          `at least ${FLOOR.ratio} × bare Aedes on ${FLOOR.connections} connections`,
          `${reached.toFixed(2)} ×`,
        ),
      )
      print(`median of ${ROUNDS} rounds; ${describeLoad()}`)
    } finally {
      await load.stop()
      await stop()
    }
  },
}

const keyOf = (name: string, connections: number): string => `${name}/${connections}`
