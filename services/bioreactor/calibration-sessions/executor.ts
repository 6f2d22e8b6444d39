import { Type } from '@sinclair/typebox'
import { SessionRefused, STEP_TIMEOUT_MS } from '../../../events/bioreactor/calibration-sessions.js'
import { CALIBRATION_TYPES } from '../../../events/bioreactor/calibrations.js'
import { ESTIMATOR_TYPES } from '../../../events/bioreactor/estimators.js'
import type { JobDefinition, SettingsOf } from '../../../events/core/define-job.js'
import { defineError, isDefect } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Clock } from '../../../events/ports.js'
import { check } from '../../../events/schema.js'
import { deadline } from '../../../primitives/deadline.js'
import { createAction, type Job, type JobContext } from '../../jobs/job.js'
import type { JobService } from '../../jobs/job-service.js'
import type { RunningJob } from '../../jobs/running-job.js'
import { sleepS } from '../../runtime/repeat.js'
import type { CalibrationStore, EstimatorStore } from '../calibrations/artifact-store.js'
import type { Board } from '../index.js'
import { initialLiquid } from '../liquids/initial-liquid.js'
import { forgetReference } from '../od/ir-reference.js'
import type {
  AnyEstimator,
  ArtifactKind,
  Executor,
  HeldTemperature,
  NewCalibration,
  PumpRun,
  StoredLink,
} from './executor-port.js'
import { measureStandard, observeForFusion, odCalibration } from './measurements/od-measurement.js'
import { pumpCalibration, runPump } from './measurements/pump-run.js'
import { measureSpeeds, stirringCalibration } from './measurements/stirring-run.js'
import { biasTrimHold, holdTemperature } from './measurements/temperature-hold.js'
import { INFRARED } from './protocols/bias-trim.js'

const MeasurementFailed = defineError(
  'calibration_session.measurement_failed',
  'state',
  'What a step of a guided calibration measures did not come to its end; the step can be repeated.',
)

export interface SessionExecutorDeps {
  readonly unit: string
  readonly clock: Clock
  readonly jobs: Pick<JobService, 'perform' | 'isRunning' | 'config'>
  readonly board: Pick<Board, 'bioreactor' | 'pwm' | 'leds' | 'store' | 'book'>
  readonly calibrations: Pick<CalibrationStore, 'list' | 'save'>
  readonly estimators: EstimatorStore
}

const AnyCalibration = Type.Union(Object.values(CALIBRATION_TYPES))
const AnEstimator = Type.Union(Object.values(ESTIMATOR_TYPES))

/** From switching on to the first temperature at most, s. */
const FIRST_TEMPERATURE_S = 30

/** What uses the light and the stirrer. */
const OPTICS = ['stirring', 'od_reading', 'self_test']

/** Who asked for the jobs that a session runs. */
const SOURCE = 'calibration_session'

/** Carries out what the protocol of one session orders. What it measures runs as a job of the unit, one at a time. */
export class SessionExecutor implements Executor {
  readonly #deps: SessionExecutorDeps
  readonly #sessionId: string
  /** Its jobs that have not ended. */
  readonly #running = new Set<RunningJob>()
  #isOver = false
  /** Holds a temperature from one step to the next. */
  #holding: { readonly job: RunningJob; readonly targetC: number } | null = null
  #seen: HeldTemperature | null = null

  constructor(sessionId: string, deps: SessionExecutorDeps) {
    this.#sessionId = sessionId
    this.#deps = deps
  }

  /** Everything off, what it measures and what it holds, and nothing goes on again: a step that is under way fails at what it orders next. */
  async halt(): Promise<void> {
    this.#isOver = true
    this.#seen = null
    await Promise.all([...this.#running].map((job) => job.stop(null)))
  }

  /** The session is over: nothing of it stays. */
  async close(): Promise<void> {
    await this.halt()
    await forgetReference(this.#deps.board.store, this.#reference)
  }

  demandIdle(jobs: readonly string[]): void {
    const running = jobs.find((name) => this.#deps.jobs.isRunning(name))
    if (running === undefined) return
    throw new SessionRefused(`${running} runs, and its part of the unit is needed here.`, {
      remediation: `Stop ${running} first.`,
      details: { job_name: running },
    })
  }

  async pump(run: PumpRun): Promise<void> {
    await this.#measure(pumpCalibration, (job) => runPump(job, run, this.#deps.board))
  }

  railVolts(): Promise<number> {
    return this.#deps.board.bioreactor.readRailVolts()
  }

  async stirringRun(duties: readonly number[]): Promise<readonly number[]> {
    this.demandIdle(['stirring', 'self_test'])
    return this.#measure(stirringCalibration, (job) => measureSpeeds(job, duties, this.#deps.board))
  }

  async standard(rpm: number): Promise<Readonly<Record<string, number>>> {
    this.demandIdle(OPTICS)
    return this.#measure(odCalibration, (job) => measureStandard(job, rpm, this.#optics))
  }

  async fusionObservation(rpm: number, repeats: number): Promise<readonly Readonly<Record<string, number>>[]> {
    this.demandIdle(OPTICS)
    return this.#measure(odCalibration, (job) => observeForFusion(job, rpm, repeats, this.#optics))
  }

  async holdTemperature(targetC: number): Promise<void> {
    if (this.#holding !== null && !this.#holding.job.isEnding && this.#holding.targetC === targetC) return
    await this.#release()
    const { board, jobs, estimators } = this.#deps
    const estimator = await estimators.active(INFRARED)
    if (estimator?.estimator_type !== 'fir_temperature_estimator') {
      throw new SessionRefused(`No estimator of ${INFRARED} is in use.`)
    }
    this.demandIdle(['stirring', 'temperature_automation'])
    const { volume_ml } = initialLiquid(await jobs.config(), board.book.model.reactor_capacity_ml)
    const { bioreactor } = board
    const hold = createAction(biasTrimHold, (job) =>
      holdTemperature(job, targetC, {
        bioreactor,
        volumeMl: volume_ml,
        estimator,
        onTemperature: (seen) => {
          this.#seen = seen
        },
      }),
    )
    const job = await this.#perform(hold, `${biasTrimHold.name}_${this.#sessionId}`)
    this.#holding = { job, targetC }
    await job.started
    await this.#firstTemperature(job)
  }

  async heldTemperature(): Promise<HeldTemperature> {
    if (this.#seen !== null) return this.#seen
    throw new MeasurementFailed('The infrared thermometer tells no temperature.', {
      remediation: 'See in the log of the unit why the heater or the thermometer stopped.',
    })
  }

  /** Ends what it holds. */
  async #release(): Promise<void> {
    const holding = this.#holding
    this.#holding = null
    this.#seen = null
    await holding?.job.stop(null)
  }

  async names(kind: ArtifactKind, device: string): Promise<readonly string[]> {
    return (await this.#deps[kind].list(device)).map(({ name }) => name)
  }

  estimator(device: string, name: string): Promise<AnyEstimator> {
    return this.#deps.estimators.read(device, name)
  }

  activeEstimator(device: string): Promise<AnyEstimator | null> {
    return this.#deps.estimators.active(device)
  }

  async saveCalibration(device: string, calibration: NewCalibration): Promise<StoredLink> {
    this.#refuseOver()
    const stamped = check(AnyCalibration, { ...calibration, ...this.#stamp })
    const { path } = await this.#deps.calibrations.save(device, stamped, { activate: true })
    return { device, path }
  }

  async saveEstimator(device: string, estimator: AnyEstimator): Promise<StoredLink> {
    this.#refuseOver()
    const stamped = check(AnEstimator, { ...estimator, ...this.#stamp })
    const { path } = await this.#deps.estimators.save(device, stamped, { activate: true })
    return { device, path }
  }

  /** Where and when it was made. */
  get #stamp() {
    const { unit, clock } = this.#deps
    return { calibrated_on_pioreactor_unit: unit, created_at: timestampOf(clock.now()) }
  }

  get #reference(): string {
    return `_testing_${this.#sessionId}`
  }

  get #optics() {
    return { ...this.#deps.board, reference: this.#reference }
  }

  async #firstTemperature(job: RunningJob): Promise<void> {
    for (let waited = 0; this.#seen === null && waited < FIRST_TEMPERATURE_S; waited++) {
      await sleepS(this.#deps.clock, 1, new AbortController().signal)
      if (job.isEnding) break
    }
    if (this.#seen !== null) return
    await this.#release()
    throw new MeasurementFailed(`The temperature is not held: ${job.reason ?? 'the infrared thermometer is silent'}.`)
  }

  /** Runs an action as a job, and waits until its outputs are off.
   * @throws LabError of the action; MeasurementFailed when it was stopped, or took too long */
  async #measure<D extends JobDefinition, T>(
    definition: D,
    work: (job: JobContext<SettingsOf<D>>) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#deps
    const outcome: { done?: readonly [T]; error?: unknown } = {}
    const action = createAction<D>(definition, async (job) => {
      try {
        const value = await work(job)
        job.ending.throwIfAborted()
        outcome.done = [value]
      } catch (error) {
        outcome.error = error
        throw error
      }
    })
    const job = await this.#perform(action, SOURCE)
    await job.started
    const late = (): Promise<void> => job.stop(`it took longer than ${STEP_TIMEOUT_MS / 1000} s`)
    await deadline(STEP_TIMEOUT_MS, job.ended, late, clock)
    if (outcome.done !== undefined) return outcome.done[0]
    if (!isDefect(outcome.error)) throw outcome.error
    throw new MeasurementFailed(`${definition.name} failed: ${job.reason ?? 'it was stopped'}.`, {
      cause: outcome.error,
    })
  }

  /** Begins a job that ends with the session at the latest. @throws MeasurementFailed when the session is over, LabError when no job may start now */
  async #perform(action: Job, source: string): Promise<RunningJob> {
    this.#refuseOver()
    const job = await this.#deps.jobs.perform(action, source)
    this.#running.add(job)
    void job.ended.then(() => this.#running.delete(job))
    // Aborted while it was begun: it has touched nothing yet.
    if (this.#isOver) await job.stop(null)
    this.#refuseOver()
    return job
  }

  #refuseOver(): void {
    if (this.#isOver) throw new MeasurementFailed('The guided calibration is over.')
  }
}
