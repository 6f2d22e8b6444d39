import { type Static, Type } from '@sinclair/typebox'
import { ArtifactNotWritten } from '../../../events/bioreactor/errors.js'
import { bioreactorValues } from '../../../events/bioreactor/liquids.js'
import { check } from '../../../events/schema.js'
import type { AutomationPort, OpenPort } from '../../jobs/automation-host.js'
import type { JobContext } from '../../jobs/job.js'
import { sleepS } from '../../runtime/repeat.js'
import type { Calibrations } from '../calibrations/artifact-store.js'
import {
  type Dose,
  type DoseProgress,
  type DoseSettings,
  doseDeadlineS,
  isDone,
  movedBetween,
  nextPumping,
  recordPumped,
  restOf,
  startDose,
} from '../control/dosing/dose-plan.js'
import { pumpSeconds } from '../control/dosing/pump-curve.js'
import type { LiquidValues } from '../liquids/liquid-book.js'
import { demandCalibration, findPump, type PumpSpec, WASTE } from '../liquids/pump-spec.js'
import { type PumpDeps, Pumps } from '../liquids/pumps.js'
import { readPhotodiodes } from '../od/od-optics.js'
import { readBiomass, watchBiomass } from './biomass.js'
import type { BiomassSignal, DosingSeen } from './dosing-automation.js'
import { watchLevel } from './level.js'

export interface DosingDeps extends PumpDeps {
  readonly calibrations: Calibrations
}

/** The values of the kind that its host works with. */
const Start = Type.Object({
  alt_media_fraction: Type.Optional(Type.Number()),
  current_volume_ml: Type.Optional(Type.Number()),
  efflux_tube_volume_ml: Type.Optional(Type.Number()),
  max_subdose_ml: Type.Number(),
  waste_removal_multiplier: Type.Number(),
  pause_between_subdoses_s: Type.Number(),
})

/** Pumps and readings as dosing automations use them. @param names of the pumps the automation needs
 * @returns what opens them. @throws, when opened, PartMissing and PumpUncalibrated before anything moves */
export const openDosing =
  ({ pwm, book, calibrations }: DosingDeps, names: readonly string[]): OpenPort<DosingSeen, Dose, Dose> =>
  async (job, automation, params) => {
    const start = check(Start, JSON.parse(JSON.stringify(params)))
    book.open(job.experiment, job.config)
    const findPumps = async (): Promise<PumpSpecs> => {
      const specs = new Map<string, PumpSpec>()
      for (const name of names) {
        const spec = await findPump(name, job.config, calibrations)
        demandCalibration(spec)
        specs.set(name, spec)
      }
      return specs
    }
    const specs = await findPumps()
    book.correct(job.experiment, givenOf(start), job.config)
    warn(job, names)
    job.atEnd(watchLevel(job, book))
    return new DosingPort(job, book, new Pumps({ pwm, book }, job), specs, {
      findPumps,
      source: `dosing_automation:${automation}`,
      autoSignal: await autoSignal(job, calibrations),
      settings: {
        maxSubdoseMl: start.max_subdose_ml,
        wasteMultiplier: start.waste_removal_multiplier,
        pauseS: start.pause_between_subdoses_s,
      },
    })
  }

/** The values of the vial that the start names. */
const givenOf = ({
  alt_media_fraction,
  current_volume_ml,
  efflux_tube_volume_ml,
}: Static<typeof Start>): LiquidValues => ({
  ...(alt_media_fraction === undefined ? {} : { alt_media_fraction }),
  ...(current_volume_ml === undefined ? {} : { current_volume_ml }),
  ...(efflux_tube_volume_ml === undefined ? {} : { efflux_tube_volume_ml }),
})

function warn(job: JobContext, pumps: readonly string[]): void {
  if (pumps.length === 0) return
  if (job.peers.find('stirring') === undefined) job.log('warning', 'Stirring is not running: doses will not be mixed.')
  if (!pumps.includes(WASTE)) job.log('warning', 'Nothing is removed: somebody has to keep the level down.')
}

/** What `auto` means while fused OD is not there. */
async function autoSignal({ config }: JobContext, calibrations: Calibrations): Promise<BiomassSignal> {
  const [first] = readPhotodiodes(config).signals
  const calibration = first === undefined ? null : await calibrations.active(`od${first.angle}`)
  return calibration === null ? 'normalized_od' : 'od'
}

type PumpSpecs = ReadonlyMap<string, PumpSpec>

interface Manner {
  /** The pumps as they are calibrated now. @throws PumpUncalibrated, CalibrationUnsuitable */
  readonly findPumps: () => Promise<PumpSpecs>
  readonly source: string
  readonly autoSignal: BiomassSignal
  readonly settings: DoseSettings
}

/** A dose that a pause broke off. */
interface BrokenOff {
  readonly progress: DoseProgress
  readonly deadlineMs: number
}

/** A dose is a plan of pump runs with a deadline. What moved is what is reported, whatever ended it. */
class DosingPort implements AutomationPort<DosingSeen, Dose, Dose> {
  readonly #job: JobContext
  readonly #book: PumpDeps['book']
  readonly #pumps: Pumps
  #specs: PumpSpecs
  readonly #manner: Manner
  #brokenOff: BrokenOff | null = null

  constructor(job: JobContext, book: PumpDeps['book'], pumps: Pumps, specs: PumpSpecs, manner: Manner) {
    this.#job = job
    this.#book = book
    this.#pumps = pumps
    this.#specs = specs
    this.#manner = manner
  }

  see(): DosingSeen {
    const liquid = this.#book.liquid(this.#job.experiment)
    const biomass = readBiomass(this.#job.peers)
    return {
      ...biomass,
      nowS: this.#job.clock.now().getTime() / 1000,
      current_volume_ml: liquid.volume_ml,
      alt_media_fraction: bioreactorValues(liquid).alt_media_fraction,
      max_fill_ml: this.#book.model.reactor_max_fill_volume_ml,
      auto_signal: biomass.od_fused === null ? this.#manner.autoSignal : 'od_fused',
      lastDoseEndedS: this.#book.lastPumpingS,
    }
  }

  watch(listener: () => void): () => void {
    return watchBiomass(this.#job.peers, listener)
  }

  async carryOut(dose: Dose, stop: AbortSignal): Promise<Dose> {
    this.#specs = await this.#pumpsNow()
    const progress = startDose(dose, this.#manner.settings)
    const secondsOf = (pump: string, pumpMl: number): number => pumpSeconds(this.#spec(pump).curve, pumpMl)
    const seconds = doseDeadlineS(progress.plan, secondsOf)
    return this.#dose({ progress, deadlineMs: this.#job.clock.monotonicMs() + seconds * 1000 }, dose, stop)
  }

  /** A dose goes by the calibrations in use when it begins. When they cannot be looked up, those of the last dose count. */
  async #pumpsNow(): Promise<PumpSpecs> {
    try {
      return await this.#manner.findPumps()
    } catch (error) {
      if (!(error instanceof ArtifactNotWritten)) throw error
      this.#job.log('warning', `${error.message} The dose goes by the calibrations of the last one.`)
      return this.#specs
    }
  }

  async goOn(stop: AbortSignal): Promise<void> {
    const brokenOff = this.#brokenOff
    this.#brokenOff = null
    if (brokenOff === null) return
    if (this.#job.clock.monotonicMs() >= brokenOff.deadlineMs) {
      this.#job.log('warning', 'The rest of the dose that the pause broke off is given up: its time is over.')
      return
    }
    await this.#dose(brokenOff, restOf(brokenOff.progress), stop)
  }

  sleep(): Promise<void> {
    return this.#pumps.halt()
  }

  wake(): Promise<void> {
    return Promise.resolve()
  }

  /** @returns what has moved of it, before a pause and after */
  async #dose({ progress, deadlineMs }: BrokenOff, asked: Dose, stop: AbortSignal): Promise<Dose> {
    this.#tell('DosingStarted', asked)
    const late = new AbortController()
    void this.#job.clock.sleepUntil(deadlineMs, late.signal).then(() => late.abort())
    let done = progress
    try {
      done = await this.#pumpAll(progress, AbortSignal.any([stop, late.signal]), (now) => {
        done = now
      })
      if (stop.aborted && !isDone(done)) this.#brokenOff = { progress: done, deadlineMs }
      else if (late.signal.aborted) this.#job.log('error', 'The dose took longer than it may and was given up.')
      return done.moved
    } finally {
      late.abort()
      this.#tell('DosingStopped', movedBetween(progress, done))
    }
  }

  async #pumpAll(from: DoseProgress, stop: AbortSignal, keep: (progress: DoseProgress) => void): Promise<DoseProgress> {
    let progress = from
    while (!stop.aborted) {
      const { volume_ml } = this.#book.liquid(this.#job.experiment)
      const next = nextPumping(progress, volume_ml, this.#book.model.reactor_max_fill_volume_ml)
      if (next.kind === 'done') break
      if (next.kind === 'full') {
        const reason = `no room for ${next.ml.toFixed(3)} mL of ${next.pump}: the vial holds ${volume_ml.toFixed(3)} mL`
        this.#job.log('error', `Dosing stopped: ${reason}.`)
        this.#job.pause(reason)
        break
      }
      const spec = this.#spec(next.pump)
      const pumped = await this.#pumps.once(spec, pumpSeconds(spec.curve, next.pumpMl), this.#manner.source, stop)
      progress = recordPumped(progress, pumped)
      keep(progress)
      if (!stop.aborted) await sleepS(this.#job.clock, next.pauseS, stop)
    }
    return progress
  }

  /** @throws Error for a pump that the automation did not say it needs */
  #spec(pump: string): PumpSpec {
    const spec = this.#specs.get(pump)
    if (spec === undefined) throw new Error(`The automation wants the ${pump} pump without having said so.`)
    return spec
  }

  #tell(event_name: 'DosingStarted' | 'DosingStopped', dose: Dose): void {
    const volumes = Object.entries(dose).map(([pump, ml]) => `${pump} ${Number(ml.toFixed(4))}`)
    const message = `${event_name === 'DosingStarted' ? 'dosing' : 'dosed'} ${volumes.join(', ')}`
    this.#job.publish('latest_event', { event_name, message, data: { ...dose } })
  }
}
