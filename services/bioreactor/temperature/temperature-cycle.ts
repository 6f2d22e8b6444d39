import { defineError } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { JobContext } from '../../jobs/job.js'
import { repeat } from '../../runtime/repeat.js'
import type { BioreactorModel } from '../board/hardware-tables.js'
import { type InferencePlan, inferCultureC, inferencePlan, isStuck } from '../control/temperature/inference.js'
import type { ClaimedHeater } from './heater.js'
import type { HeaterGuard } from './heater-guard.js'
import type { Probe } from './probe.js'

const NoCooling = defineError(
  'temperature.no_cooling',
  'hardware',
  'The probe readings after the heater went off are not those of a board that cools.',
)

/** How often the probe is looked at between two inferences, s: the heater board needs seconds to get hot. */
const GUARD_S = 5
/** A reading of the probe takes about so long; the gap to the next follows. Source: Pioreactor 26.7. */
const READING_S = 0.3

export interface CycleDeps {
  readonly job: JobContext
  readonly model: BioreactorModel
  readonly heater: ClaimedHeater
  readonly probe: Probe
  readonly guard: HeaterGuard
}

/** Infers the culture's temperature once per period from how the heater board cools. */
export class TemperatureCycle {
  readonly #deps: CycleDeps
  readonly #plan: InferencePlan
  readonly #stop = new AbortController()
  #listener: () => void = () => undefined
  #temperatureC: number | null = null
  #awake = true
  /** Counts the pauses: heat from before one is not restored after it. */
  #pauses = 0
  #measuring = false

  constructor(deps: CycleDeps) {
    this.#deps = deps
    this.#plan = inferencePlan(deps.model.model_name, deps.model.model_version)
  }

  /** @param isRested whether the probe tells the culture's temperature as it is, without an inference. @throws LabError when it does not answer */
  async begin(isRested: boolean): Promise<void> {
    const { job, probe, model, guard } = this.#deps
    const { periodS, firstAfterS, isKnownVessel } = this.#plan
    if (!isKnownVessel) {
      job.log(
        'warning',
        `No model of the temperature was made for ${model.display_name}; that of 20 and 40 ml is used.`,
      )
    }
    if (isRested) this.#tell(await probe.read())
    const timer = { clock: job.clock, onError: (error: unknown) => job.logger.error({ err: error }, 'heat control') }
    const looks = repeat({
      ...timer,
      intervalS: GUARD_S,
      tick: () => (this.#measuring ? undefined : guard.look()),
    })
    const inferences = repeat({
      ...timer,
      intervalS: periodS,
      runAfterS: firstAfterS,
      immediately: true,
      tick: () => (this.#awake ? this.#infer().catch((error: unknown) => guard.lose(error)) : undefined),
    })
    job.atEnd(async () => {
      this.#stop.abort()
      await Promise.all([looks.stop(), inferences.stop()])
    })
  }

  /** Calls back after each temperature, and now if there is one. */
  watch(listener: () => void): () => void {
    this.#listener = listener
    if (this.#temperatureC !== null) listener()
    return () => {
      this.#listener = () => undefined
    }
  }

  /** Last temperature of the culture, °C; null before the first. */
  get temperatureC(): number | null {
    return this.#temperatureC
  }

  /** From one inference to the next, s. */
  get periodS(): number {
    return this.#plan.periodS
  }

  /** Heats from now on, unless the job sleeps or measures. */
  heat(percent: number, stop: AbortSignal): Promise<void> {
    return this.#deps.heater.set(percent, () => this.#awake && !this.#measuring && !stop.aborted)
  }

  async sleep(): Promise<void> {
    this.#awake = false
    this.#pauses++
    await this.#deps.heater.off()
  }

  wake(): void {
    this.#awake = true
  }

  /** Switches the heater off, watches its board cool and heats on as before, if it may. */
  async #infer(): Promise<void> {
    const { job, heater, probe, guard } = this.#deps
    const { model, samples, gapS } = this.#plan
    const { duty: dutyPercent, heatedS } = heater
    const pauses = this.#pauses
    let allowed = dutyPercent
    const probeC: number[] = []
    this.#measuring = true
    try {
      await heater.off()
      // The first reading follows at once, the others at their times whatever one of them takes: the model was made of such series.
      const startMs = job.clock.monotonicMs()
      for (let sample = 0; sample < samples; sample++) {
        await job.clock.sleepUntil(startMs + sample * (gapS + READING_S) * 1000, this.#stop.signal)
        if (this.#stop.signal.aborted) return
        probeC.push(await probe.read())
        allowed = await guard.heed(probeC.at(-1) ?? Number.NaN, allowed)
      }
    } finally {
      this.#measuring = false
    }
    if (isStuck({ dutyPercent, heatedS, probeC })) {
      const readings = `${probeC[0]?.toFixed(2)} ℃, and ${probeC.at(-1)?.toFixed(2)} ℃ after ${samples} readings without heating`
      const reason = `the probe of the heater board is stuck: after ${heatedS.toFixed(0)} s at ${dutyPercent} % it read ${readings}`
      await guard.lose(new NoCooling(`${reason}.`))
      return job.pause(reason)
    }
    const cultureC = inferCultureC(model, { dutyPercent, probeC })
    if (cultureC === null) throw new NoCooling(`No temperature of the culture follows from ${samples} probe readings.`)
    await heater.claimAnew()
    if (allowed > 0) await heater.set(allowed, () => this.#awake && pauses === this.#pauses)
    this.#tell(cultureC)
  }

  #tell(temperatureC: number): void {
    const { job } = this.#deps
    this.#temperatureC = temperatureC
    job.publish('temperature', { timestamp: timestampOf(job.clock.now()), temperature: temperatureC })
    this.#listener()
  }
}
