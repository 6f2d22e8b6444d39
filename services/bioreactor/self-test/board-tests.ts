import { MAX_MOTOR_RAIL_V } from '../chips/rail-voltage.codec.js'
import { correlation } from '../control/statistics.js'
import { judgeProbe } from '../control/temperature/heater-safety.js'
import { openRpmSensor } from '../stirring/rpm-sensor.js'
import { Probe } from '../temperature/probe.js'
import { openMotor, startMotor } from './motor.js'
import { defineTest, expectSo, pause, type TestBench } from './test-bench.js'

/** Below it one quantity does not follow the other. */
const MIN_CORRELATION = 0.9

const SEAT = 'Switch off, and press the heater board onto its connector below the vial; check its cable.'

export const hatPresent = defineTest({
  name: 'test_pioreactor_HAT_present',
  doc: 'The HAT identifies itself.',
  async run({ bioreactor }) {
    expectSo(
      await bioreactor.isHatPresent(),
      'No HAT identifies itself.',
      'Switch off, press the HAT onto all 40 pins, and start again.',
    )
    return 'The HAT identifies itself.'
  },
})

export const heatingPcb = defineTest({
  name: 'test_detect_heating_pcb',
  doc: 'The heater board answers.',
  async run({ bioreactor }) {
    expectSo(await bioreactor.isHeaterBoardPresent(), 'The heater board does not answer.', SEAT)
    return 'The heater board answers.'
  },
})

/** %, s each. */
const HEATING_DUTIES = [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]
const HEATING_S = 1.5

export const heating = defineTest({
  name: 'test_positive_correlation_between_temperature_and_heating',
  doc: 'The heater board gets warmer as it is heated more.',
  async run(bench) {
    const { bioreactor, heater: heaters, job, user, stop } = bench
    expectSo(await bioreactor.isHeaterBoardPresent(), 'The heater board does not answer.', SEAT)
    const heater = await heaters.claim(user, () => undefined)
    const probe = new Probe(bioreactor, job.clock)
    const celsius: number[] = []
    for (const duty of HEATING_DUTIES) {
      await heater.set(duty, () => !stop.aborted)
      await pause(bench, HEATING_S)
      const now = await probe.read()
      expectSo(
        judgeProbe(now, duty, bioreactor.model).action === 'none',
        `The heater board has ${now.toFixed(1)} °C already, too much to be heated.`,
        'Let it cool down, and run the test again.',
      )
      celsius.push(now)
    }
    const r = correlation(HEATING_DUTIES, celsius)
    const [first = Number.NaN, last = Number.NaN] = [celsius[0], celsius.at(-1)]
    const course = `${first.toFixed(1)} °C unheated, ${last.toFixed(1)} °C at ${HEATING_DUTIES.at(-1)} %`
    expectSo(
      r > MIN_CORRELATION,
      `The heater board does not get warmer as it is heated: ${course}; correlation ${r.toFixed(2)}, above ${MIN_CORRELATION} is needed.`,
      'Check that the supply of the heater is connected, and the cable of the heater board; do not touch the vial during the test.',
    )
    return `The heater heats: ${course}.`
  },
})

/** Share of the duty cycle with which stirring begins, first and last. */
const STIRRING_SHARES = [1.2, 0.8] as const
const STIRRING_STEPS = 8
const RPM_WINDOW_S = 3
const MIN_DUTY = 5

export const stirring = defineTest({
  name: 'test_positive_correlation_between_rpm_and_stirring',
  doc: 'The stir bar turns faster with a higher duty cycle.',
  async run(bench) {
    const { bioreactor, job, user, stop, config } = bench
    await checkSupply(bench)
    const [first, last] = STIRRING_SHARES
    const from = Math.min(first * config.stirringDuty, 100)
    const to = Math.max(last * config.stirringDuty, MIN_DUTY)
    const sensor = await openRpmSensor(bioreactor.gpio, bioreactor.board.hallPin, job.clock)
    user.atEnd(() => sensor.close())
    const motor = await openMotor(bench)
    await startMotor(bench, motor, from)
    const duties: number[] = []
    const speeds: number[] = []
    for (let step = 0; step < STIRRING_STEPS; step++) {
      const duty = from + ((to - from) * step) / (STIRRING_STEPS - 1)
      await motor.set(duty, () => !stop.aborted)
      await pause(bench, 1)
      duties.push(duty)
      speeds.push(await sensor.measure(RPM_WINDOW_S, stop))
      stop.throwIfAborted()
    }
    expectSo(
      Math.max(...speeds) > 0,
      'The stir bar does not turn, or nothing counts its turns.',
      'Check that a bar is in the vial and nothing holds it, that the motor has its cable, and that the heater board with the sensor is plugged in.',
    )
    const r = correlation(duties, speeds)
    const course = `${(speeds[0] ?? 0).toFixed(0)} RPM at ${from.toFixed(0)} %, ${(speeds.at(-1) ?? 0).toFixed(0)} RPM at ${to.toFixed(0)} %`
    expectSo(
      r > MIN_CORRELATION,
      `The stir bar does not follow its motor: ${course}; correlation ${r.toFixed(2)}, above ${MIN_CORRELATION} is needed.`,
      'Check that the bar lies flat in the middle of the vial and turns freely.',
    )
    return `The stir bar follows its motor: ${course}.`
  },
})

async function checkSupply({ bioreactor }: Pick<TestBench, 'bioreactor'>): Promise<string> {
  const volts = await bioreactor.readRailVolts()
  const found = `The supply of motors and heater gives ${volts.toFixed(1)} V`
  expectSo(
    volts <= MAX_MOTOR_RAIL_V,
    `${found}; at most ${MAX_MOTOR_RAIL_V} V are allowed.`,
    `Unplug it at once, and use one of at most ${MAX_MOTOR_RAIL_V} V.`,
  )
  return `${found}.`
}

export const auxPower = defineTest({
  name: 'test_aux_power_is_not_too_high',
  doc: 'The supply of motors and heater is within its limit.',
  run: checkSupply,
})
