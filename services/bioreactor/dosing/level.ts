import type { JobContext } from '../../jobs/job.js'
import type { LiquidBook } from '../liquids/liquid-book.js'

/** Of the largest volume: from here on it is warned of. Source: Pioreactor 26.7. */
const WARN_SHARE = 0.95
/** At most so often, ms. */
const WARN_EVERY_MS = 10_000

/** Puts the automation to sleep when the vial is full, whoever filled it. Returns the function that ends it. */
export function watchLevel(job: JobContext, book: LiquidBook): () => void {
  const limitMl = book.model.reactor_max_fill_volume_ml
  let warnedMs = Number.NEGATIVE_INFINITY
  return book.watch((experiment) => {
    if (experiment !== job.experiment) return
    const { volume_ml } = book.liquid(experiment)
    const level = `The vial holds ${volume_ml.toFixed(3)} mL; it may hold less than ${limitMl} mL`
    if (volume_ml >= limitMl) {
      if (job.state === 'ready') job.pause(`${level.charAt(0).toLowerCase()}${level.slice(1)}`)
      return
    }
    const now = job.clock.monotonicMs()
    if (volume_ml < WARN_SHARE * limitMl || now < warnedMs + WARN_EVERY_MS) return
    warnedMs = now
    job.log('warning', `${level}.`)
  })
}
