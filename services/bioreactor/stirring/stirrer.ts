import { errorCodeEvent, pidLogEvent } from '../../../events/bioreactor/outputs.js'
import { defineError } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Activity, JobContext } from '../../jobs/job.js'
import { type Repeating, repeat, sleepS } from '../../runtime/repeat.js'
import { pidLog } from '../control/pid.js'
import { isStanding, StallWatch } from '../control/stirring/stall-watch.js'
import { OdDodger, untilNextOdS } from '../od/od-dodger.js'
import { pollWindowS, type RpmSensor } from './rpm-sensor.js'
import type { StirBar } from './stir-bar.js'
import type { StirringParameters, StirringSettings } from './stirring.js'

const JobSleeping = defineError('job.sleeping', 'state', 'The job sleeps; this setting can change once it is ready.')

/** Window when only measuring, s. */
const MEASURE_ONLY_WINDOW_S = 4
/** From start to the first measurement, s. */
const FIRST_POLL_AFTER_S = 6
/** From a new target to measuring it around a reading, s. */
const SETTLE_S = 0.15
/** A kick is not given when the next reading is nearer than this, but as long after it, s. */
const CLEAR_OF_READING_S = 2
/** From one look for a stalled bar to the next, s. */
const LOOK_S = 1
/** So many kicks in vain are an error: somebody must look. */
const KICKS_IN_VAIN = 3
/** Blink code of a stalled bar. Source: Pioreactor error codes. */
const STALLED = 4

/** Stirring at work: measures, controls, kicks a stalled bar, and keeps out of the way of optical readings. */
export class Stirrer implements Activity<StirringSettings> {
  readonly #job: JobContext<StirringSettings>
  readonly #params: StirringParameters
  readonly #bar: StirBar
  readonly #sensor: RpmSensor | null
  readonly #dodger: OdDodger
  readonly #stalls: StallWatch
  #timer: Repeating | null = null
  #kicking: Promise<void> | null = null
  /** Whether the speed is that for a reading. */
  #isCalm = false
  readonly setters: Activity<StirringSettings>['setters']

  constructor(
    job: JobContext<StirringSettings>,
    params: StirringParameters,
    bar: StirBar,
    sensor: RpmSensor | null,
    isCalibrated: boolean,
  ) {
    this.#job = job
    this.#params = params
    this.#bar = bar
    this.#sensor = sensor
    this.#stalls = new StallWatch(params.update_interval_s)
    const enabled = params.enable_dodging_od
    if (enabled && !isCalibrated) {
      job.log('warning', 'Without a stirring calibration the speed around readings may be off at first.')
    }
    this.#dodger = new OdDodger(job, { preS: params.pre_delay_s, postS: params.post_delay_s }, enabled, {
      enter: (schedule) => this.#enterDodging(schedule.intervalS),
      leave: () => this.#leaveDodging(),
      beforeReading: () => {
        this.#isCalm = true
        return this.#turnAt(job.value('target_rpm_during_od_reading') ?? 0, 1)
      },
      afterReading: () => {
        this.#isCalm = false
        return this.#turnAt(job.value('target_rpm_outside_od_reading') ?? 0, 2)
      },
    })
    job.publish('enable_dodging_od', enabled)
    job.publish('currently_dodging_od', false)
    this.setters = {
      target_rpm: { apply: (rpm) => this.#setTarget(rpm) },
      duty_cycle: { check: () => this.#refuseAsleep(), apply: (duty) => bar.setDuty(duty) },
      enable_dodging_od: {
        apply: async (enable) => {
          job.publish('enable_dodging_od', enable)
          await this.#dodger.enable(enable)
        },
      },
      target_rpm_during_od_reading: { apply: (rpm) => job.publish('target_rpm_during_od_reading', rpm) },
      target_rpm_outside_od_reading: { apply: (rpm) => job.publish('target_rpm_outside_od_reading', rpm) },
    }
  }

  begin(): void {
    this.#job.atEnd(() => this.#endTimer())
    this.#beginPolling()
    this.#beginLooking()
    this.#dodger.start()
    // Once more, and first: what is under way at the end may take its time, the motor may not.
    this.#job.atEnd(() => this.#bar.halt())
  }

  async sleep(): Promise<void> {
    this.#timer?.pause()
    this.#dodger.pause()
    await this.#bar.halt()
    this.#publishRpm(0)
  }

  async wake(): Promise<void> {
    this.#bar.wake()
    await this.#bar.startMotion()
    this.#timer?.resume()
    await this.#dodger.resume()
  }

  async #setTarget(rpm: number): Promise<void> {
    await this.#bar.setTarget(rpm)
    this.#job.publish('target_rpm', rpm)
  }

  #refuseAsleep(): void {
    if (this.#bar.isAwake) return
    throw new JobSleeping('duty_cycle cannot change while stirring sleeps; set $state to ready first.')
  }

  #beginPolling(): void {
    if (this.#sensor === null) return
    const { clock, logger } = this.#job
    this.#timer = repeat({
      clock,
      intervalS: this.#params.update_interval_s,
      runAfterS: FIRST_POLL_AFTER_S,
      immediately: true,
      tick: () => this.#poll(),
      onError: (error) => logger.error({ err: error }, 'speed not measured'),
    })
    if (!this.#bar.isAwake) this.#timer.pause()
  }

  /** Looks for a stalled bar much more often than the speed is controlled. */
  #beginLooking(): void {
    const { clock, logger } = this.#job
    const sensor = this.#sensor
    if (sensor === null) return
    const timer = repeat({
      clock,
      intervalS: LOOK_S,
      runAfterS: FIRST_POLL_AFTER_S + LOOK_S,
      immediately: true,
      tick: () => this.#look(sensor.revolutions),
      onError: (error) => logger.error({ err: error }, 'stalled bar not kicked'),
    })
    this.#job.atEnd(() => timer.stop())
  }

  async #look(revolutions: number): Promise<void> {
    const { targetRpm, steadySinceMs } = this.#bar
    if (targetRpm === null || steadySinceMs === null || this.#job.state !== 'ready') return
    const atS = this.#job.clock.monotonicMs() / 1000
    const turns = this.#stalls.look({ atS, revolutions, targetRpm, steadySinceS: steadySinceMs / 1000 })
    if (turns === true) this.#turnsAgain()
    if (turns === false && !this.#isCalm) await this.#unstall()
  }

  #turnsAgain(): void {
    const { kicks } = this.#stalls
    this.#stalls.turns()
    if (kicks > 0) this.#job.log('notice', 'The stir bar turns again.')
  }

  /** Measures, publishes, and corrects the duty cycle. */
  async #poll(): Promise<void> {
    const target = this.#bar.targetRpm
    const windowS = this.#params.measure_rpm_only ? MEASURE_ONLY_WINDOW_S : pollWindowS(target ?? 0)
    const sinceMs = this.#job.clock.monotonicMs()
    const rpm = await this.#sensor?.measure(windowS, this.#job.ending)
    if (rpm === undefined || this.#job.state !== 'ready' || !this.#bar.isAwake) return
    this.#publishRpm(rpm)
    // While it is kicked, a bar has no speed of its own.
    if (this.#kicking !== null || this.#bar.kickedMs > sinceMs) return
    if (target !== null && isStanding(rpm, target)) await this.#unstall()
    const step = await this.#bar.follow(rpm, sinceMs)
    if (step === null) return
    const log = pidLog(step.settings, step.terms, rpm, { job_name: 'stirring', target_name: 'rpm' })
    this.#job.emit(pidLogEvent, log, { target_name: log.target_name })
  }

  /** Kicks the bar unless that was in vain a moment ago. */
  #unstall(): Promise<void> {
    if (!this.#stalls.mayKick(this.#job.clock.monotonicMs() / 1000)) return Promise.resolve()
    this.#kicking ??= this.#kick().finally(() => {
      this.#kicking = null
    })
    return this.#kicking
  }

  async #kick(): Promise<void> {
    this.#job.log('warning', 'The stir bar does not turn; kicking it.')
    this.#job.emit(errorCodeEvent, STALLED)
    const untilReading = untilNextOdS(this.#job)
    if (!this.#dodger.isDodging && untilReading <= CLEAR_OF_READING_S) {
      await sleepS(this.#job.clock, untilReading + CLEAR_OF_READING_S, this.#job.ending)
    }
    if (this.#job.ending.aborted || !this.#bar.isAwake) return
    await this.#bar.kick()
    this.#stalls.kicked(this.#job.clock.monotonicMs() / 1000)
    if (this.#stalls.kicks === KICKS_IN_VAIN + 1) {
      this.#job.log('error', `The stir bar stands still after ${KICKS_IN_VAIN} kicks; it is kicked on.`)
    }
  }

  async #enterDodging(odIntervalS: number): Promise<void> {
    if (odIntervalS < 1 / 0.12) {
      this.#job.log('warning', `Readings every ${odIntervalS} s leave little time for stirring in between.`)
    }
    await this.#endTimer()
    const { target_rpm_during_od_reading: during, target_rpm_outside_od_reading: outside } = this.#params
    await this.#bar.setDuty(0)
    this.#publishRpm(0)
    this.#job.publish('target_rpm_during_od_reading', during)
    this.#job.publish('target_rpm_outside_od_reading', outside)
    this.#job.publish('currently_dodging_od', true)
  }

  async #leaveDodging(): Promise<void> {
    this.#isCalm = false
    const outside = this.#job.value('target_rpm_outside_od_reading')
    this.#job.publish('target_rpm_during_od_reading', null)
    this.#job.publish('target_rpm_outside_od_reading', null)
    this.#job.publish('currently_dodging_od', false)
    // The bar may have been slowed down for a reading that will not come.
    if (outside !== undefined && this.#bar.targetRpm !== null) await this.#setTarget(outside)
    await this.#bar.startMotion()
    this.#beginPolling()
  }

  async #turnAt(rpm: number, polls: number): Promise<void> {
    if (this.#bar.targetRpm === null) return
    await this.#setTarget(rpm)
    await sleepS(this.#job.clock, SETTLE_S, this.#job.ending)
    for (let poll = 0; poll < polls; poll++) await this.#poll()
  }

  async #endTimer(): Promise<void> {
    const timer = this.#timer
    this.#timer = null
    await timer?.stop()
  }

  #publishRpm(rpm: number): void {
    if (this.#sensor === null) return
    this.#job.publish('measured_rpm', { measured_rpm: rpm, timestamp: timestampOf(this.#job.clock.now()) })
  }
}
