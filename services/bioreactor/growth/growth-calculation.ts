import { kalmanFilterEvent } from '../../../events/bioreactor/growth.js'
import {
  bioreactorVariableEvent,
  type DosingEvent,
  dosingEvent,
  PUMP_CALIBRATION,
} from '../../../events/bioreactor/liquids.js'
import type { BusMessage } from '../../../events/ports.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { Activity, JobContext } from '../../jobs/job.js'
import { logRarely } from '../../jobs/log-rarely.js'
import { addedMedium, dilutionOf } from '../control/dosing/liquid.js'
import {
  type GrowthOutcome,
  type GrowthState,
  growthDisturbed,
  growthDosed,
  growthObserved,
} from '../control/growth/growth-rate.js'
import { smoothingShare } from '../od/photodiode-sampler.js'
import type { GrowthMemory } from './growth-memory.js'
import type { GrowthRateParameters, GrowthRateSettings } from './growth-rate-calculating.js'
import type { GrowthReading, ReadGrowthReading } from './growth-readings.js'

/** The filter is kept so often, s. What a kill takes with it counts as unknown afterwards. */
const KEEP_EVERY_S = 60
/** From one message on the progress of the statistics to the next, readings. */
const PROGRESS_EVERY = 5
/** Statistics that take longer miss how the culture begins, s. */
const LONG_WARM_UP_S = 600

export interface GrowthCalculationOptions {
  readonly job: JobContext<GrowthRateSettings>
  readonly params: GrowthRateParameters
  readonly memory: GrowthMemory
  /** Asked again whenever od_reading starts. The reader it gives throws InvalidInput. */
  readonly openReader: () => Promise<ReadGrowthReading>
}

/** Turns readings and doses into growth rates, one message after the other in the order of the log. */
export class GrowthCalculation implements Activity<GrowthRateSettings> {
  readonly setters = {}
  readonly #options: GrowthCalculationOptions
  readonly #inOrder = createSerialQueue()
  readonly #logRarely
  /** Null before the first reading. */
  #now: { readonly state: GrowthState; readonly optics: string } | null = null
  /** mL, as the account of the vial says; null while nobody keeps it. */
  #volumeMl: number | null = null
  #keptMs: number
  #odRuns = false
  #read: ReadGrowthReading | null = null

  constructor(options: GrowthCalculationOptions) {
    this.#options = options
    this.#logRarely = logRarely(options.job)
    this.#keptMs = options.job.clock.monotonicMs()
  }

  begin(): void {
    const { job, params } = this.#options
    this.#odRuns = this.#isOdRunning()
    if (!this.#odRuns) job.log('warning', 'od_reading does not run; the growth rate waits for its readings.')
    const warmUpS = params.samples_for_od_statistics / params.samples_per_second
    if (warmUpS >= LONG_WARM_UP_S) {
      job.log(
        'warning',
        `The statistics of the first readings take ${Math.round(warmUpS)} s; the culture grows meanwhile.`,
      )
    }
    job.atEnd(job.peers.watch('od_reading', () => this.#followOdReading()))
    job.atEnd(() => this.#inOrder(() => this.#keep()))
  }

  async sleep(): Promise<void> {
    await this.#inOrder(() => this.#keep())
  }

  async wake(): Promise<void> {
    // The time that went by tells by itself how much is still known.
  }

  /** A message with readings. Those of the past, and what clears them, tell nothing. */
  takeReading({ payload, retain }: BusMessage): void {
    if (retain || payload.length === 0) return
    this.#take('reading', async () => {
      this.#read ??= await this.#options.openReader()
      const reading = this.#read(payload.toString())
      if (this.#options.job.state === 'ready') await this.#observe(reading)
    })
  }

  takeDose({ payload, retain }: BusMessage): void {
    if (retain) return
    this.#take('dosing event', async () => this.#dose(dosingEvent.parse(payload.toString())))
  }

  takeVolume({ payload }: BusMessage): void {
    this.#take('volume', async () => {
      this.#volumeMl = payload.length === 0 ? null : bioreactorVariableEvent.parse(payload.toString())
    })
  }

  #take(what: string, work: () => Promise<void>): void {
    this.#inOrder(work).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      this.#logRarely('warning', what, `A ${what} was left out: ${reason}`)
    })
  }

  async #observe(reading: GrowthReading): Promise<void> {
    const { job, params, memory } = this.#options
    if (this.#now?.optics !== reading.optics) this.#now = await this.#recall(reading.optics)
    const before = this.#now.state
    const intervalS = this.#intervalS()
    const { state, outcome } = growthObserved(before, reading, {
      intervalS,
      smoothing: smoothingShare(params.smoothing_penalizer / intervalS),
      warmUpReadings: params.samples_for_od_statistics,
      outlierThreshold: params.ekf_outlier_std_threshold,
    })
    this.#now = { state, optics: reading.optics }
    this.#tell(outcome, reading)
    if (before.filter === null && state.filter !== null) {
      job.log('info', 'The statistics are complete; the growth rate follows with the next reading.')
      await this.#store(() => memory.learn(reading.optics, state.factors))
      await this.#keep()
    } else if (state.filter === null) this.#tellProgress(state)
    else if (job.clock.monotonicMs() - this.#keptMs >= KEEP_EVERY_S * 1000) await this.#keep()
  }

  #tell(outcome: GrowthOutcome, { timestamp, isClamped }: GrowthReading): void {
    const { job } = this.#options
    if (outcome.kind === 'skipped') this.#logRarely('warning', 'skipped', `A reading was left out: ${outcome.reason}.`)
    if (outcome.kind === 'failed') job.end(`there is no growth rate: ${outcome.reason}. Check blank and photodiodes.`)
    if (outcome.kind !== 'rate') return
    const quality = isClamped ? ({ quality: 'clamped' } as const) : {}
    job.publish('growth_rate', { growth_rate: outcome.growth_rate, timestamp, ...quality })
    job.publish('od_filtered', { od_filtered: outcome.od_filtered, timestamp, ...quality })
    const filter = this.#now?.state.filter
    if (filter) job.emit(kalmanFilterEvent, { state: filter.x, covariance_matrix: filter.P, timestamp })
  }

  #tellProgress({ warmUp }: GrowthState): void {
    const { job, params } = this.#options
    if (warmUp.length !== 1 && (warmUp.length === 0 || warmUp.length % PROGRESS_EVERY !== 0)) return
    job.log('info', `Statistics: ${warmUp.length} of ${params.samples_for_od_statistics} readings.`)
  }

  #dose(event: DosingEvent): void {
    if (this.#now === null || addedMedium(event.event) === null || event.source_of_event === PUMP_CALIBRATION) return
    const { state, optics } = this.#now
    const atS = Date.parse(event.timestamp) / 1000
    // A reading that was taken during or after it has seen some of it already.
    const isLate = state.lastAtS !== null && atS < state.lastAtS
    const dilution = isLate || this.#volumeMl === null ? null : dilutionOf({ volume_ml: this.#volumeMl }, event)
    this.#now = { state: growthDosed(state, dilution), optics }
  }

  async #recall(optics: string) {
    const { job, memory } = this.#options
    const recalled = await memory.recall(optics)
    if (recalled.isResumed) job.log('info', 'The filter goes on where it was kept.')
    return { state: recalled.state, optics }
  }

  async #keep(): Promise<void> {
    if (this.#now === null || this.#now.state.filter === null) return
    const { optics, state } = this.#now
    this.#keptMs = this.#options.job.clock.monotonicMs()
    await this.#store(() => this.#options.memory.keep(optics, state))
  }

  /** What cannot be written is missed by the next start only. */
  async #store(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      this.#logRarely('warning', 'store', `What the filter knows could not be kept: ${reason}`)
    }
  }

  /** As od_reading was told, once it runs. */
  #intervalS(): number {
    const interval = this.#options.job.peers.find('od_reading')?.value('interval')
    return typeof interval === 'number' ? interval : 1 / this.#options.params.samples_per_second
  }

  #isOdRunning(): boolean {
    const state = this.#options.job.peers.find('od_reading')?.state
    return state === 'init' || state === 'ready' || state === 'sleeping'
  }

  #followOdReading(): void {
    const runs = this.#isOdRunning()
    if (runs === this.#odRuns) return
    this.#odRuns = runs
    if (!runs)
      this.#options.job.log('warning', 'od_reading has ended; the growth rate stays as it was until it runs again.')
    else {
      // Its light and its dark are measured anew, with the blank of now.
      this.#take('start of od_reading', async () => {
        this.#read = null
        if (this.#now !== null) this.#now = { ...this.#now, state: growthDisturbed(this.#now.state) }
      })
    }
  }
}
