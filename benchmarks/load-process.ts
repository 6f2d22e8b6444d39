import { type Flood, flood } from './flood.js'
import { type Latencies, type Paced, paced } from './paced.js'
import { type PacedFsync, pacedFsync } from './paced-fsync.js'
import type { Latency } from './quantiles.js'
import { type ReadFigures, type Reads, reads } from './read-load.js'

/** The load generator, a process of its own so that no broker shares its processor time. One order, one answer; ends with its parent. */
export type Order =
  | ({ readonly kind: 'flood' } & Flood)
  | ({ readonly kind: 'paced' } & Paced)
  | ({ readonly kind: 'fsync' } & PacedFsync)
  | ({ readonly kind: 'reads' } & Reads)
export type Result = number | Latencies | Latency | ReadFigures
export type Answer = { readonly result: Result } | { readonly error: string }

function work(order: Order): Promise<Result> {
  switch (order.kind) {
    case 'flood':
      return flood(order)
    case 'paced':
      return paced(order)
    case 'fsync':
      return pacedFsync(order)
    case 'reads':
      return reads(order)
  }
}

process.on('message', (order: Order) => {
  work(order).then(
    (result) => process.send?.({ result } satisfies Answer),
    (error: unknown) => process.send?.({ error: String(error) } satisfies Answer),
  )
})
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
