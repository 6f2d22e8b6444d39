import { Worker } from 'node:worker_threads'
import type { TopLevelSpec } from 'vega-lite'
import { defineError } from '../../events/core/errors.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import type { PlotReply } from './plot-worker.js'

const PlotsBusy = defineError('plot.busy', 'state', 'Other plots are being drawn; ask again in a moment.')
const PlotFailed = defineError('plot.failed', 'defect', 'A plot could not be drawn.')

/** Each takes a second of a core and a large library. */
const MOST_WAITING = 4

/** Draws plots one after the other, each in a thread of its own that ends with it: a plotting library is large. */
export function createPlotThread(): (spec: TopLevelSpec) => Promise<Uint8Array> {
  const serially = createSerialQueue()
  let waiting = 0
  return async (spec) => {
    if (waiting >= MOST_WAITING) throw new PlotsBusy(`${waiting} plots are asked for already.`)
    waiting++
    try {
      return await serially(() => drawApart(spec))
    } finally {
      waiting--
    }
  }
}

async function drawApart(spec: TopLevelSpec): Promise<Uint8Array> {
  const worker = new Worker(new URL('./plot-worker.js', import.meta.url), { name: 'plot' })
  try {
    const reply = await new Promise<PlotReply>((resolve, reject) => {
      worker.once('message', resolve).once('error', reject)
      worker.once('exit', () => reject(new PlotFailed('The drawing thread ended.')))
      worker.postMessage(spec)
    })
    if ('reason' in reply) throw new PlotFailed(reply.reason)
    return reply.image
  } finally {
    await worker.terminate()
  }
}
