import { Type } from '@sinclair/typebox'
import { defineJob, type SettingsOf } from '../../../events/core/define-job.js'
import { LabError } from '../../../events/errors.js'
import { MeasuredRPM, timestampOf } from '../../../events/payloads.js'
import { type Activity, createJob, type Job, type JobContext, type OptionsOf } from '../../jobs/job.js'
import { type Repeating, repeat, sleepS } from '../../repeat.js'
import type { Bioreactor } from '../bench-hardware.js'
import { type Calibrations, domainOf } from '../calibrations.js'
import { invertUnbounded } from '../control/curve.js'
import type { PidGains } from '../control/pid.js'
import { OdDodger, untilNextOdS } from '../od/od-dodger.js'
import type { PwmBoard } from '../pwm-board.js'
import { openRpmSensor, pollWindowS, type RpmSensor } from './rpm-sensor.js'
import { type DutyLookup, StirBar } from './stir-bar.js'

const Rpm = Type.Number({ minimum: 0, maximum: 5000 })
const StartRpm = Type.Number({ minimum: 0, maximum: 1500 })
const Percent = Type.Number({ minimum: 0, maximum: 100 })

const options = {
  target_rpm: { schema: StartRpm, unit: 'RPM', doc: 'Speed to hold; 0 keeps the bar still.' },
  use_rpm: { schema: Type.Boolean(), doc: 'Control the speed by the Hall sensor.' },
  duty_cycle: { schema: Percent, unit: '%', doc: 'Duty cycle to begin with.' },
  target_rpm_during_od_reading: { schema: Rpm, unit: 'RPM', doc: 'Speed while optical density is read.' },
  target_rpm_outside_od_reading: { schema: Rpm, unit: 'RPM', doc: 'Speed between optical readings.' },
  enable_dodging_od: { schema: Type.Boolean(), doc: 'Change the speed around optical readings.' },
  measure_rpm_only: { schema: Type.Boolean(), doc: 'Keep the duty cycle fixed and publish the speed.' },
} as const

export const stirring = defineJob(
  'stirring',
  { help: 'Spin the stir bar, at a constant speed or around optical readings.', options },
  {
    target_rpm: { schema: Rpm, unit: 'RPM', settable: true, doc: 'Speed to hold.' },
    measured_rpm: { schema: MeasuredRPM, unit: 'RPM', doc: 'Hall-sensor speed over the last window.' },
    duty_cycle: { schema: Percent, unit: '%', settable: true, doc: 'PWM output realised.' },
    enable_dodging_od: { schema: Type.Boolean(), settable: true, doc: 'Change the speed around optical readings.' },
    currently_dodging_od: { schema: Type.Boolean(), doc: 'Whether the speed follows optical readings now.' },
    target_rpm_during_od_reading: { schema: Rpm, unit: 'RPM', settable: true, doc: 'Present only while dodging.' },
    target_rpm_outside_od_reading: { schema: Rpm, unit: 'RPM', settable: true, doc: 'Present only while dodging.' },
  },
)
export type StirringSettings = SettingsOf<typeof stirring>

export interface StirringDeps {
  readonly bioreactor: Bioreactor
  readonly pwm: PwmBoard
  readonly calibrations: Calibrations
}

const SECTION = 'stirring.config'
/** Window when only measuring, s. */
const MEASURE_ONLY_WINDOW_S = 4
/** From start to the first measurement, s. */
const FIRST_POLL_AFTER_S = 6
/** From a new target to measuring it around a reading, s. */
const SETTLE_S = 0.15
/** A kick is not given when the next reading is nearer than this, but as long after it, s. */
const CLEAR_OF_READING_S = 2
/** Blink code of a stalled bar. Source: Pioreactor error codes. */
const STALLED = 4

export const createStirringJob = (deps: StirringDeps): Job =>
  createJob(stirring, options, (run, given) => startStirring(run, given, deps))

async function startStirring(
  run: JobContext<StirringSettings>,
  given: OptionsOf<typeof options>,
  { bioreactor, pwm, calibrations }: StirringDeps,
): Promise<Activity<StirringSettings>> {
  const { config, clock } = run
  const measureOnly = given.measure_rpm_only === true
  const useRpm = measureOnly || (given.use_rpm ?? config.boolean(SECTION, 'use_rpm', true))
  const targetRpm = !useRpm || measureOnly ? null : (given.target_rpm ?? initialTarget(run))

  if (!(await bioreactor.isHatPresent())) throw missing('The HAT does not answer', 'Attach the HAT.')
  if (useRpm && !(await bioreactor.isHeaterBoardPresent())) {
    throw missing(
      'The heater board, which carries the Hall sensor, does not answer',
      'Attach it or start with use_rpm 0.',
    )
  }
  const channel = config.channelOf('PWM', 'stirring')
  if (channel === undefined) throw missing('No PWM channel is labelled stirring', 'Label one in section [PWM].')

  const line = await pwm.claim(channel, config.number(SECTION, 'pwm_hz', undefined, { above: 0, unit: 'Hz' }), run)
  const { lookup, isCalibrated } = await readLookup(calibrations)
  const limits = { min: 0, max: 100, unit: '%' }
  const bar = new StirBar({
    clock,
    line,
    lookup,
    gains: readGains(run),
    initialDuty: given.duty_cycle ?? config.number(SECTION, 'initial_duty_cycle', 30, limits),
    targetRpm,
    onDuty: (duty) => run.publish('duty_cycle', duty),
  })
  const sensor = useRpm ? await openRpmSensor(bioreactor.edges, bioreactor.board.hallPin, clock) : null
  if (sensor !== null) run.atEnd(() => sensor.close())
  run.atEnd(() => bar.halt())

  const stirrer = new Stirrer(run, bar, sensor, measureOnly, given, isCalibrated)
  run.publish('target_rpm', targetRpm)
  await bar.startMotion()
  return stirrer
}

const initialTarget = ({ config }: JobContext<StirringSettings>): number =>
  config.number(SECTION, 'initial_target_rpm', 500, { min: 0, max: 1500, unit: 'RPM' })

function readGains({ config }: JobContext<StirringSettings>): PidGains {
  const gain = (name: string): number => config.number('stirring.pid', name, undefined, { unit: '% per RPM' })
  return { Kp: gain('Kp'), Ki: gain('Ki'), Kd: gain('Kd') }
}

async function readLookup(calibrations: Calibrations): Promise<{ lookup: DutyLookup; isCalibrated: boolean }> {
  const calibration = await calibrations.active('stirring')
  if (calibration === null) return { lookup: () => null, isCalibrated: false }
  if ((calibration.y ?? 'RPM') !== 'RPM') {
    throw new LabError(
      'calibration.unsuitable',
      'state',
      `Stirring calibration '${calibration.calibration_name}' gives ${calibration.y}; it must give RPM.`,
    )
  }
  const domain = domainOf(calibration)
  return { lookup: (rpm) => invertUnbounded(calibration.curve_data_, rpm, domain) ?? null, isCalibrated: true }
}

const missing = (problem: string, remediation: string): LabError =>
  new LabError('hardware.missing', 'hardware', `${problem}.`, { remediation })

/** Stirring at work: measures, controls, kicks a stalled bar, and keeps out of the way of optical readings. */
class Stirrer implements Activity<StirringSettings> {
  readonly #run: JobContext<StirringSettings>
  readonly #bar: StirBar
  readonly #sensor: RpmSensor | null
  readonly #measureOnly: boolean
  readonly #given: OptionsOf<typeof options>
  readonly #dodger: OdDodger
  #timer: Repeating | null = null
  readonly setters: Activity<StirringSettings>['setters']

  constructor(
    run: JobContext<StirringSettings>,
    bar: StirBar,
    sensor: RpmSensor | null,
    measureOnly: boolean,
    given: OptionsOf<typeof options>,
    isCalibrated: boolean,
  ) {
    this.#run = run
    this.#bar = bar
    this.#sensor = sensor
    this.#measureOnly = measureOnly
    this.#given = given
    const { config } = run
    const delay = (name: string, fallback: number): number =>
      config.number(SECTION, name, fallback, { min: 0, unit: 's' })
    const enabled = given.enable_dodging_od ?? config.boolean(SECTION, 'enable_dodging_od', false)
    if (enabled && !isCalibrated) {
      run.log('warning', 'Without a stirring calibration the speed around readings may be off at first.')
    }
    this.#dodger = new OdDodger(
      run,
      { preS: delay('pre_delay_duration', 1.5), postS: delay('post_delay_duration', 0.5) },
      enabled,
      {
        enter: (schedule) => this.#enterDodging(schedule.intervalS),
        leave: () => this.#leaveDodging(),
        beforeReading: () => this.#turnAt(run.value('target_rpm_during_od_reading') ?? 0, 1),
        afterReading: () => this.#turnAt(run.value('target_rpm_outside_od_reading') ?? 0, 2),
      },
    )
    run.publish('enable_dodging_od', enabled)
    run.publish('currently_dodging_od', false)
    this.setters = {
      target_rpm: { apply: (rpm) => this.#setTarget(rpm) },
      duty_cycle: { check: () => this.#refuseAsleep(), apply: (duty) => bar.setDuty(duty) },
      enable_dodging_od: {
        apply: async (enable) => {
          run.publish('enable_dodging_od', enable)
          await this.#dodger.enable(enable)
        },
      },
      target_rpm_during_od_reading: { apply: (rpm) => run.publish('target_rpm_during_od_reading', rpm) },
      target_rpm_outside_od_reading: { apply: (rpm) => run.publish('target_rpm_outside_od_reading', rpm) },
    }
  }

  begin(): void {
    this.#run.atEnd(() => this.#endTimer())
    this.#beginPolling()
    this.#dodger.start()
    // Once more, and first: what is under way at the end may take its time, the motor may not.
    this.#run.atEnd(() => this.#bar.halt())
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
    this.#run.publish('target_rpm', rpm)
  }

  #refuseAsleep(): void {
    if (this.#bar.isAwake) return
    throw new LabError(
      'job.sleeping',
      'state',
      'duty_cycle cannot change while stirring sleeps; set $state to ready first.',
    )
  }

  #beginPolling(): void {
    if (this.#sensor === null) return
    const { config, clock, logger } = this.#run
    this.#timer = repeat({
      clock,
      intervalS: config.number(SECTION, 'duration_between_updates_seconds', 23, { above: 0, unit: 's' }),
      runAfterS: FIRST_POLL_AFTER_S,
      immediately: true,
      tick: () => this.#poll(),
      onError: (error) => logger.error({ err: error }, 'speed not measured'),
    })
    if (!this.#bar.isAwake) this.#timer.pause()
  }

  /** Measures, publishes, and corrects the duty cycle. */
  async #poll(): Promise<void> {
    const target = this.#bar.targetRpm
    const windowS = this.#measureOnly ? MEASURE_ONLY_WINDOW_S : pollWindowS(target ?? 0)
    const rpm = await this.#sensor?.measure(windowS, this.#run.ending)
    if (rpm === undefined || this.#run.state !== 'ready' || !this.#bar.isAwake) return
    this.#publishRpm(rpm)
    if (rpm === 0 && target !== null && target > 0) await this.#unstall()
    const terms = await this.#bar.follow(rpm)
    if (terms === null) return
    const { Kp, Ki, Kd } = readGains(this.#run)
    this.#run.emit('pid_log/rpm', {
      setpoint: target,
      output_limits_lb: -7.5,
      output_limits_ub: 7.5,
      Kd,
      Ki,
      Kp,
      integral: terms.integral,
      proportional: terms.proportional,
      derivative: terms.derivative,
      latest_input: rpm,
      latest_output: terms.output,
      job_name: stirring.name,
      target_name: 'rpm',
    })
  }

  async #unstall(): Promise<void> {
    this.#run.log('warning', 'The stir bar does not turn; kicking it.')
    this.#run.emit('monitor/flicker_led_with_error_code', STALLED)
    const untilReading = untilNextOdS(this.#run)
    if (!this.#dodger.isDodging && untilReading <= CLEAR_OF_READING_S) {
      await sleepS(this.#run.clock, untilReading + CLEAR_OF_READING_S, this.#run.ending)
    }
    await this.#bar.kick()
  }

  async #enterDodging(odIntervalS: number): Promise<void> {
    const { config, log } = this.#run
    if (odIntervalS < 1 / 0.12)
      log('warning', `Readings every ${odIntervalS} s leave little time for stirring in between.`)
    await this.#endTimer()
    const speed = (name: 'target_rpm_during_od_reading' | 'target_rpm_outside_od_reading', fallback: number): number =>
      this.#given[name] ?? config.number(SECTION, name, fallback, { min: 0, max: 5000, unit: 'RPM' })
    const during = speed('target_rpm_during_od_reading', 0)
    const outside = speed('target_rpm_outside_od_reading', this.#bar.targetRpm ?? 0)
    await this.#bar.setDuty(0)
    this.#publishRpm(0)
    this.#run.publish('target_rpm_during_od_reading', during)
    this.#run.publish('target_rpm_outside_od_reading', outside)
    this.#run.publish('currently_dodging_od', true)
  }

  async #leaveDodging(): Promise<void> {
    const outside = this.#run.value('target_rpm_outside_od_reading')
    this.#run.publish('target_rpm_during_od_reading', null)
    this.#run.publish('target_rpm_outside_od_reading', null)
    this.#run.publish('currently_dodging_od', false)
    // The bar may have been slowed down for a reading that will not come.
    if (outside !== undefined && this.#bar.targetRpm !== null) await this.#setTarget(outside)
    await this.#bar.startMotion()
    this.#beginPolling()
  }

  async #turnAt(rpm: number, polls: number): Promise<void> {
    if (this.#bar.targetRpm === null) return
    await this.#setTarget(rpm)
    await sleepS(this.#run.clock, SETTLE_S, this.#run.ending)
    for (let poll = 0; poll < polls; poll++) await this.#poll()
  }

  async #endTimer(): Promise<void> {
    const timer = this.#timer
    this.#timer = null
    await timer?.stop()
  }

  #publishRpm(rpm: number): void {
    if (this.#sensor === null) return
    this.#run.publish('measured_rpm', { measured_rpm: rpm, timestamp: timestampOf(this.#run.clock.now()) })
  }
}
