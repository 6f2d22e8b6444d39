import { Type } from '@sinclair/typebox'
import { MeasuredRPM } from '../../../events/bioreactor/readings.js'
import { defineJob, type ParametersOf, type SettingsOf } from '../../../events/core/define-job.js'
import type { LabError } from '../../../events/core/errors.js'
import { createJob, type Job, type JobContext } from '../../jobs/job.js'
import type { Bioreactor } from '../board/board.js'
import type { PwmBoard } from '../board/pwm-board.js'
import type { Calibrations } from '../calibrations/artifact-store.js'
import { CalibrationUnsuitable, domainOf } from '../calibrations/calibrations.js'
import { invertUnbounded } from '../control/curve.js'
import { PartMissing } from '../errors.js'
import { openRpmSensor } from './rpm-sensor.js'
import { type DutyLookup, StirBar } from './stir-bar.js'
import { Stirrer } from './stirrer.js'

/** Pioreactor starts up to 1500 RPM and lets a command ask for 5000, which no fan of its size turns. One range for both. */
const Rpm = Type.Number({ minimum: 0, maximum: 1500 })
const Percent = Type.Number({ minimum: 0, maximum: 100 })
const Delay = Type.Number({ minimum: 0 })

const SECTION = 'stirring.config'
const PID = 'stirring.pid'
const gain = { schema: Type.Number(), unit: '% per RPM' }

/** Source of names, ranges and defaults: Pioreactor 26.7 `stirring`. */
export const stirring = defineJob({
  name: 'stirring',
  help: 'Spin the stir bar, at a constant speed or around optical readings.',
  stopOrder: 'outputs',
  parameters: {
    target_rpm: {
      schema: Rpm,
      unit: 'RPM',
      label: 'Target stir RPM',
      step: 10,
      doc: 'Speed to hold; 0 keeps the bar still.',
      option: { type: 'float range' },
      settable: true,
      when: 'while the speed is controlled',
      config: [SECTION, 'initial_target_rpm'],
      default: 500,
    },
    use_rpm: {
      schema: Type.Boolean(),
      doc: 'Control the speed by the Hall sensor.',
      option: true,
      config: [SECTION, 'use_rpm'],
      default: true,
    },
    measured_rpm: {
      schema: MeasuredRPM,
      unit: 'RPM',
      doc: 'Hall-sensor speed over the last window.',
      published: true,
      when: 'while the speed is measured',
      valuePath: 'measured_rpm',
    },
    duty_cycle: {
      schema: Percent,
      unit: '%',
      step: 1,
      doc: 'PWM output; at the start, the one to begin with.',
      option: { type: 'float range' },
      settable: true,
      config: [SECTION, 'initial_duty_cycle'],
      default: 30,
    },
    enable_dodging_od: {
      schema: Type.Boolean(),
      label: 'Dodge OD readings',
      doc: 'Change the speed around optical readings.',
      option: true,
      settable: true,
      config: [SECTION, 'enable_dodging_od'],
      default: false,
    },
    currently_dodging_od: {
      schema: Type.Boolean(),
      doc: 'Whether the speed follows optical readings now.',
      published: true,
    },
    target_rpm_during_od_reading: {
      schema: Rpm,
      unit: 'RPM',
      step: 10,
      doc: 'Speed while optical density is read.',
      option: true,
      settable: true,
      when: 'while dodging',
      config: [SECTION, 'target_rpm_during_od_reading'],
      default: 0,
    },
    target_rpm_outside_od_reading: {
      schema: Rpm,
      unit: 'RPM',
      step: 10,
      doc: 'Speed between optical readings.',
      option: true,
      settable: true,
      when: 'while dodging',
      config: [SECTION, 'target_rpm_outside_od_reading'],
      default: 500,
    },
    measure_rpm_only: {
      schema: Type.Boolean(),
      doc: 'Keep the duty cycle fixed and publish the speed.',
      option: true,
      default: false,
    },
    pwm_hz: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'Hz',
      doc: 'Frequency of the PWM output.',
      config: [SECTION, 'pwm_hz'],
      default: 200,
    },
    update_interval_s: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 's',
      doc: 'From one measurement and correction of the speed to the next.',
      config: [SECTION, 'duration_between_updates_seconds'],
      default: 23,
    },
    pre_delay_s: {
      schema: Delay,
      unit: 's',
      doc: 'Calm before an optical reading.',
      config: [SECTION, 'pre_delay_duration'],
      default: 1.5,
    },
    post_delay_s: {
      schema: Delay,
      unit: 's',
      doc: 'Calm after an optical reading.',
      config: [SECTION, 'post_delay_duration'],
      default: 0.25,
    },
    Kp: { ...gain, doc: 'Proportional gain of the speed control.', config: [PID, 'Kp'], default: 0.005 },
    Ki: { ...gain, doc: 'Integral gain of the speed control.', config: [PID, 'Ki'], default: 0 },
    Kd: { ...gain, doc: 'Derivative gain of the speed control.', config: [PID, 'Kd'], default: 0 },
  },
})
export type StirringSettings = SettingsOf<typeof stirring>
export type StirringParameters = ParametersOf<typeof stirring>

export interface StirringDeps {
  readonly bioreactor: Bioreactor
  readonly pwm: PwmBoard
  readonly calibrations: Calibrations
}

export const createStirringJob = (deps: StirringDeps): Job =>
  createJob(stirring, (job, params) => startStirring(job, params, deps))

async function startStirring(
  job: JobContext<StirringSettings>,
  params: StirringParameters,
  { bioreactor, pwm, calibrations }: StirringDeps,
): Promise<Stirrer> {
  const { config, clock } = job
  const measureOnly = params.measure_rpm_only
  const useRpm = measureOnly || params.use_rpm
  const targetRpm = !useRpm || measureOnly ? null : params.target_rpm

  if (!(await bioreactor.isHatPresent())) throw missing('The HAT does not answer', 'Attach the HAT.')
  if (useRpm && !(await bioreactor.isHeaterBoardPresent())) {
    throw missing(
      'The heater board, which carries the Hall sensor, does not answer',
      'Attach it or start with use_rpm 0.',
    )
  }
  const channel = config.channelOf('PWM', 'stirring')
  if (channel === undefined) throw missing('No PWM channel is labelled stirring', 'Label one in section [PWM].')

  const line = await pwm.claim(channel, params.pwm_hz, job, 'unlimited')
  const { lookup, isCalibrated } = await readLookup(calibrations)
  const bar = new StirBar({
    clock,
    line,
    lookup,
    gains: { Kp: params.Kp, Ki: params.Ki, Kd: params.Kd },
    periodS: params.update_interval_s,
    initialDuty: params.duty_cycle,
    targetRpm,
    onDuty: (duty) => job.publish('duty_cycle', duty),
  })
  const sensor = useRpm ? await openRpmSensor(bioreactor.gpio, bioreactor.board.hallPin, clock) : null
  if (sensor !== null) job.atEnd(() => sensor.close())
  job.atEnd(() => bar.halt())

  const stirrer = new Stirrer(job, params, bar, sensor, isCalibrated)
  job.publish('target_rpm', targetRpm)
  await bar.startMotion()
  return stirrer
}

async function readLookup(calibrations: Calibrations): Promise<{ lookup: DutyLookup; isCalibrated: boolean }> {
  const calibration = await calibrations.active('stirring')
  if (calibration === null) return { lookup: () => null, isCalibrated: false }
  if (calibration.calibration_type !== 'simple_stirring') {
    throw new CalibrationUnsuitable(
      `Calibration '${calibration.calibration_name}' of stirring is of type ${calibration.calibration_type}; it must be simple_stirring.`,
    )
  }
  if (calibration.y !== 'RPM') {
    throw new CalibrationUnsuitable(
      `Stirring calibration '${calibration.calibration_name}' gives ${calibration.y}; it must give RPM.`,
    )
  }
  const domain = domainOf(calibration)
  return { lookup: (rpm) => invertUnbounded(calibration.curve_data_, rpm, domain) ?? null, isCalibrated: true }
}

const missing = (problem: string, remediation: string): LabError => new PartMissing(`${problem}.`, { remediation })
