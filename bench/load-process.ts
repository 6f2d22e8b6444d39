import { type Flood, flood } from './flood.js'
import { type Latencies, type Paced, paced } from './paced.js'

/** The load generator, a process of its own so that no broker shares its processor time. One order, one answer; ends with its parent. */
export type Order = ({ readonly kind: 'flood' } & Flood) | ({ readonly kind: 'paced' } & Paced)
export type Answer = { readonly result: number | Latencies } | { readonly error: string }

process.on('message', (order: Order) => {
  const work = order.kind === 'flood' ? flood(order) : paced(order)
  work.then(
    (result) => process.send?.({ result } satisfies Answer),
    (error: unknown) => process.send?.({ error: String(error) } satisfies Answer),
  )
})
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
