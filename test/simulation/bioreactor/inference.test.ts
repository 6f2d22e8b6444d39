import { describe, expect, test } from 'vitest'
import { inferCultureC } from '../../../services/bioreactor/control/temperature/inference.js'
import { createInProcessHardware } from '../../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../../simulation/virtual-bench.js'
import { FakeClock } from '../../support/fake-clock.js'

/** The thermostat's cycle (`specs/bioreactor-jobs.md` §4.5.1): every 200 s the heater goes off, and 21 means of six readings are taken. */
const PERIOD_S = 200
const SAMPLES = 21
const READS = 6
const READ_GAP_MS = 50
const SAMPLE_GAP_MS = 5000
const CYCLES = 45
const PROBE = 0x4f

/** Holds a duty cycle until the vial is steady. @returns what the last inference says, from readings over I2C, and what is so. */
async function infer(dutyPercent: number, options: { roomC?: number; volumeMl?: number } = {}) {
  const clock = new FakeClock()
  const { roomC = 22, volumeMl = 15 } = options
  const bench = new VirtualBench({ clock, seed: 3, parameters: { roomC }, culture: { volumeMl } })
  const { i2c, pwm } = createInProcessHardware(bench)
  const heater = await pwm.open(bench.wiring.pwm.pwm_to_pin['5'], 16)
  const readC = async () => Buffer.from(await i2c.writeRead(PROBE, Uint8Array.of(0), 2)).readInt16BE() / 256
  const heatedMs = PERIOD_S * 1000 - SAMPLES * (READS * READ_GAP_MS + SAMPLE_GAP_MS)
  let probeC: number[] = []
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await heater.setDutyCycle(dutyPercent)
    await clock.advance(heatedMs)
    await heater.setDutyCycle(0)
    if (cycle < CYCLES - 1) {
      await clock.advance(PERIOD_S * 1000 - heatedMs)
      continue
    }
    probeC = []
    for (let sample = 0; sample < SAMPLES; sample++) {
      let sum = 0
      for (let read = 0; read < READS; read++) {
        sum += await readC()
        await clock.advance(READ_GAP_MS)
      }
      probeC.push(sum / READS)
      await clock.advance(SAMPLE_GAP_MS)
    }
  }
  return { inferredC: inferCultureC('linear', { dutyPercent, probeC }) ?? Number.NaN, truth: bench.truth }
}

describe('the inference of real vials finds the culture of the virtual one', () => {
  test('at the temperature of the recorded series within 0.3 °C', async () => {
    const { inferredC, truth } = await infer(45.57)
    expect(truth.culture_c).toBeGreaterThan(38)
    expect(Math.abs(inferredC - truth.culture_c)).toBeLessThan(0.3)
  })

  test.each([
    [10, {}],
    [25, {}],
    [41, {}],
    [55, {}],
    [41, { volumeMl: 10 }],
    [41, { roomC: 20 }],
    [35, { roomC: 25 }],
  ])('at %d %% and %o within 0.7 °C', async (duty, options) => {
    const { inferredC, truth } = await infer(duty, options)
    expect(truth.culture_c).toBeGreaterThan(24)
    expect(Math.abs(inferredC - truth.culture_c)).toBeLessThan(0.7)
  })
})
