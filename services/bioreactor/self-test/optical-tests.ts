import type { PdChannel } from '../board/board.js'
import { correlation, mean, median, variance } from '../control/statistics.js'
import type { Angle } from '../od/od-optics.js'
import { openRpmSensor, type RpmSensor } from '../stirring/rpm-sensor.js'
import { openMotor, startMotor } from './motor.js'
import { type Optics, openOptics, readings, type Volts } from './optics.js'
import { defineTest, expectSo, pause, type TestBench } from './test-bench.js'

// Limits and numbers of readings are those of Pioreactor 26.7 `self_test`.

const volts = (value: number): string => `${value.toFixed(4)} V`
const named = ({ channel, label }: Optics['all'][number]): string =>
  label === 'REF' ? `REF photodiode (${channel})` : `photodiode ${channel} (${label}°)`

/** %, in an order that drift does not follow. */
const INTENSITIES = [35, 85, 75, 55, 45, 65, 80, 50]
const MIN_LIGHT_CORRELATION = 0.9

export const lightSeen = defineTest({
  name: 'test_all_positive_correlations_between_pds_and_leds',
  doc: 'Every photodiode sees the IR LED get brighter.',
  async run(bench) {
    const optics = await openOptics(bench)
    await startMotor(bench, await openMotor(bench), bench.config.stirringDuty)
    await optics.zero()
    const seen: Volts[] = []
    for (const percent of INTENSITIES) {
      await optics.light(percent)
      const three = await readings(bench, optics, 3)
      seen.push(new Map([...three].map(([channel, values]) => [channel, mean(values)])))
      await optics.light(0)
      await pause(bench, percent / 100)
    }
    const found = optics.all.map((photodiode) => {
      const levels = seen.map((reading) => reading.get(photodiode.channel) ?? Number.NaN)
      return { photodiode, r: Number(correlation(INTENSITIES, levels).toFixed(2)), brightest: Math.max(...levels) }
    })
    const follows = (r: number): boolean => r >= MIN_LIGHT_CORRELATION
    bench.found(found.filter(({ r }) => follows(r)).map(({ photodiode }) => ['IR', photodiode.label]))
    const blind = found.filter(({ r }) => !follows(r))
    expectSo(
      blind.length === 0,
      `The IR LED (${optics.irChannel}) gets brighter, and is not followed by ${blind
        .map(
          ({ photodiode, r, brightest }) =>
            `${named(photodiode)}: correlation ${r}, ${volts(brightest)} at the brightest`,
        )
        .join('; ')}. At least ${MIN_LIGHT_CORRELATION} is needed.`,
      blind.length === optics.all.length
        ? 'No photodiode sees the light: check the IR LED and its cable.'
        : 'Check that the photodiode is plugged into the channel that the configuration names and sits in its hole.',
    )
    return `Every photodiode follows the IR LED: ${found.map(({ photodiode, r }) => `${photodiode.label} ${r}`).join(', ')}.`
  },
})

const MAX_AMBIENT_V = 0.08

export const ambientLight = defineTest({
  name: 'test_ambient_light_interference',
  doc: 'Without the LEDs it is dark.',
  async run(bench) {
    const optics = await openOptics(bench)
    const reading = await optics.read()
    const bright = optics.all.filter(({ channel }) => (reading.get(channel) ?? Number.NaN) >= MAX_AMBIENT_V)
    expectSo(
      bright.length === 0,
      `All LEDs are off, and yet light is seen by ${bright
        .map((photodiode) => `${named(photodiode)}: ${volts(reading.get(photodiode.channel) ?? Number.NaN)}`)
        .join('; ')}. Less than ${MAX_AMBIENT_V} V is needed.`,
      'Put the cap on, cover unused holes, and keep lamps and sunlight off the unit.',
    )
    return `It is dark: at most ${volts(Math.max(...reading.values()))}.`
  },
})

const MAX_DARK_V = 0.01
const MAX_DARK_VARIANCE = 5e-5

export const darkOffset = defineTest({
  name: 'test_dark_offset_correction_is_effective',
  doc: 'What is seen in the dark can be subtracted.',
  async run(bench) {
    const optics = await openOptics(bench)
    await optics.zero()
    const dark = await readings(bench, optics, 8)
    for (const photodiode of optics.all) {
      const values = dark.get(photodiode.channel) ?? []
      const [level, spread] = [mean(values), variance(values)]
      expectSo(
        level <= MAX_DARK_V && spread <= MAX_DARK_VARIANCE,
        `In the dark, and after subtraction, ${named(photodiode)} still shows ${volts(level)} (variance ${spread.toExponential(1)} V²); at most ${MAX_DARK_V} V and ${MAX_DARK_VARIANCE} V² are allowed.`,
        'Keep flickering lamps and moving shadows off the unit, put the cap on, and check the cable of the photodiode.',
      )
    }
    return 'In the dark every photodiode shows next to nothing.'
  },
})

const NO_REFERENCE = 'No photodiode is configured as REF; there is nothing to test.'
const REFERENCE_V = { min: 0.01, max: 1 } as const
const MAX_REFERENCE_VARIANCE = 1e-2

export const referenceLevel = defineTest({
  name: 'test_REF_is_lower_than_0_dot_256_volts',
  doc: 'The REF photodiode sees the IR LED, and neither too much of it nor too little: 0.01 to 1 V.',
  async run(bench) {
    const optics = await openOptics(bench)
    if (optics.reference === null) return NO_REFERENCE
    const { irPercent } = bench.config
    await optics.zero()
    await optics.light(irPercent)
    const values = (await readings(bench, optics, 6)).get(optics.reference) ?? []
    const [level, spread] = [mean(values), variance(values)]
    const isWithin = level >= REFERENCE_V.min && level <= REFERENCE_V.max
    expectSo(
      isWithin && spread < MAX_REFERENCE_VARIANCE,
      `The REF photodiode (${optics.reference}) shows ${volts(level)} (variance ${spread.toExponential(1)} V²) at ${irPercent} % of the IR LED; ${REFERENCE_V.min} to ${REFERENCE_V.max} V and a variance below ${MAX_REFERENCE_VARIANCE} V² are needed.`,
      level < REFERENCE_V.min
        ? 'Check the IR LED, its cable, and that the REF photodiode sits beside it.'
        : 'Dim the IR LED (ir_led_intensity), and check that the REF photodiode sits firmly in its place.',
    )
    return `The REF photodiode shows ${volts(level)} at ${irPercent} %.`
  },
})

const FAST_STIRRING = 90
const TOGGLES = 8
const WARM_UP = 5
const MIN_SIGNAL_EFFECT = 0.001
const MAX_REFERENCE_EFFECT = 0.015
const MAX_REFERENCE_SHARE = 0.75

/** How far what is seen with the bar turning differs from that at rest, relative to both. */
const effect = (on: number, off: number): number => (on - off) / Math.max((Math.abs(on) + Math.abs(off)) / 2, 1e-9)

/** Differences whose mean is so many times as large as chance would have it are no chance. */
const MIN_SURPRISE = 3
const standOut = (effects: readonly number[]): boolean =>
  Math.abs(mean(effects)) > MIN_SURPRISE * Math.sqrt(variance(effects) / (effects.length - 1))

export const referencePosition = defineTest({
  name: 'test_REF_is_in_correct_position',
  doc: 'Fast stirring changes what the photodiodes at the vial see, and not what REF sees.',
  async run(bench) {
    const optics = await openOptics(bench)
    if (optics.reference === null) return NO_REFERENCE
    const motor = await openMotor(bench)
    const sensor = await openSensor(bench)
    await optics.zero()
    await optics.light(bench.config.irPercent)
    await readings(bench, optics, WARM_UP)
    const effects = new Map(optics.all.map(({ channel }) => [channel, [] as number[]]))
    for (let toggle = 0; toggle < TOGGLES; toggle++) {
      const on = await phase(bench, optics, () => motor.set(FAST_STIRRING, () => !bench.stop.aborted))
      const off = await phase(bench, optics, () => motor.set(0))
      for (const [channel, all] of effects) all.push(effect(on.get(channel) ?? 0, off.get(channel) ?? 0))
    }
    // The noise of clean medium is an effect of 0.1 % as well, so that the limits alone do not notice a bar that stands.
    const isSeen = [...effects.values()].some(standOut)
    expectSo(
      sensor === null || sensor.revolutions > 0 || isSeen,
      'The stir bar does not turn: nothing counts its turns, and no photodiode sees a difference. Where REF looks cannot be told.',
      'Check that a bar is in the vial and nothing holds it, and that the motor has its cable; then run the test again.',
    )
    const of = (channel: PdChannel): number => median((effects.get(channel) ?? []).map(Math.abs))
    const reference = of(optics.reference)
    const strongest = Math.max(...optics.signals.map(({ channel }) => of(channel)))
    const found = `Fast stirring changes REF by ${percent(reference)} and the vial's photodiodes by up to ${percent(strongest)}`
    const moves = (change: number): boolean => change >= MIN_SIGNAL_EFFECT
    expectSo(
      moves(strongest) || moves(reference),
      `${found}; at the vial at least ${percent(MIN_SIGNAL_EFFECT)} are needed.`,
      'Check that a vial with liquid and a stir bar is in its place, and that the bar turns.',
    )
    expectSo(
      reference <= MAX_REFERENCE_EFFECT && reference <= MAX_REFERENCE_SHARE * strongest,
      `${found}; REF may change by ${percent(MAX_REFERENCE_EFFECT)}, and by ${MAX_REFERENCE_SHARE} of the others, at most.`,
      `The photodiode that is configured as REF (channel ${optics.reference}) seems to look at the vial: check which plug is in which channel.`,
    )
    return `${found}.`
  },
})

/** The Hall sensor, which sits on the heater board; null where there is none. */
async function openSensor({ bioreactor, job, user }: TestBench): Promise<RpmSensor | null> {
  if (!(await bioreactor.isHeaterBoardPresent())) return null
  const sensor = await openRpmSensor(bioreactor.gpio, bioreactor.board.hallPin, job.clock)
  user.atEnd(() => sensor.close())
  return sensor
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** What is seen once the bar turns, or rests: medians by channel. */
async function phase(bench: TestBench, optics: Optics, begin: () => Promise<void>): Promise<Volts> {
  await begin()
  await pause(bench, 1)
  await optics.read()
  const two = await readings(bench, optics, 2)
  return new Map([...two].map(([channel, values]) => [channel, median(values)]))
}

/** V relative to a reference that counts as 1; no limit is known for light that goes straight through. */
const MAX_BLANK: Readonly<Partial<Record<Angle, number>>> = { '45': 0.035, '90': 0.035, '135': 0.15 }
const BLANK_INTERVAL_S = 1.15

export const blankNearZero = defineTest({
  name: 'test_PD_is_near_0_volts_for_blank',
  doc: 'With medium without cells, or water, little light is scattered into the photodiodes.',
  async run(bench) {
    const optics = await openOptics(bench)
    await optics.zero()
    await optics.light(bench.config.irPercent)
    const seen = await readings(bench, optics, 6, BLANK_INTERVAL_S)
    const levels = optics.signals.map((signal) => ({ ...signal, level: mean(seen.get(signal.channel) ?? []) }))
    for (const { channel, angle, level } of levels) {
      const limit = MAX_BLANK[angle] ?? Number.POSITIVE_INFINITY
      expectSo(
        level <= limit,
        `Photodiode ${channel} (${angle}°) shows ${volts(level)}; of medium without cells at most ${limit} V are expected.`,
        'The test wants a clean vial of water, or of medium without cells: with a culture in it, it fails. If there is none, wipe the vial and look for scratches and bubbles, and check that the photodiode is at the angle that the configuration names.',
      )
    }
    return `Without cells: ${levels.map(({ angle, level }) => `${angle}° ${volts(level)}`).join(', ')}.`
  },
})
