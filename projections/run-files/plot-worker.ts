import { parentPort } from 'node:worker_threads'
import type { TopLevelSpec } from 'vega-lite'
import { drawPlot } from './draw-plot.js'

/** Thread that draws one plot. */
export type PlotReply = { readonly image: Uint8Array } | { readonly reason: string }

parentPort?.once('message', (spec: TopLevelSpec) => {
  drawPlot(spec).then(
    (image) => parentPort?.postMessage({ image } satisfies PlotReply),
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      parentPort?.postMessage({ reason } satisfies PlotReply)
    },
  )
})
