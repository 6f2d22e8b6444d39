import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readBenchSetup } from '../../cli/bench-setup.js'
import { VirtualBench } from '../../simulation/virtual-bench.js'
import { FakeClock } from '../support/fake-clock.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

/** A bench as the unit with this configuration has it. */
async function benchOf(ini?: string, settings: Readonly<Record<string, string>> = {}) {
  const dotPioreactor = join(temporaryDirectory(), '.pioreactor')
  mkdirSync(dotPioreactor)
  if (ini !== undefined) writeFileSync(join(dotPioreactor, 'config.ini'), ini)
  const clock = new FakeClock()
  const setup = await readBenchSetup({ dotPioreactor, instruments: { bioreactor: settings } })
  return { clock, bench: new VirtualBench({ clock, seed: 1, ...setup }) }
}

test('a bench without configuration is as the stock one has it', async () => {
  const { bench } = await benchOf()
  expect(bench.truth).toEqual(new VirtualBench({ clock: new FakeClock(), seed: 1 }).truth)
  expect(bench.truth).toMatchObject({ volume_ml: 15, alt_media_fraction: 0 })
})

test('the vial holds what the configuration says, and its waste tube ends there', async () => {
  const { clock, bench } = await benchOf(
    '[bioreactor]\ninitial_volume_ml=13\nefflux_tube_volume_ml=12\ninitial_alt_media_fraction=0.25\n',
  )
  expect(bench.truth).toMatchObject({ volume_ml: 13, alt_media_fraction: 0.25 })
  bench.setPwm(bench.wiring.pwm.pwm_to_pin['4'], 100)
  await clock.advance(60_000)
  expect(bench.truth.volume_ml).toBeCloseTo(12, 3)
})

test('pumps hang on the channels that the configuration names', async () => {
  const { clock, bench } = await benchOf('[PWM]\n2=waste\n3=media\n4=alt_media\n')
  bench.setPwm(bench.wiring.pwm.pwm_to_pin['3'], 100)
  await clock.advance(5000)
  expect(bench.truth.media_in_ml).toBeCloseTo(5 * 0.0911, 6)
  expect(bench.truth.alt_media_in_ml).toBe(0)
})

test('LEDs and photodiodes are where the configuration has them', async () => {
  const { clock, bench } = await benchOf('[leds]\nA=\nB=IR\n[od_config.photodiode_channel]\n1=90\n2=REF\n')
  const raw = (register: number) => Buffer.from(bench.transact(0x2c, Uint8Array.of(register), 2) ?? []).readUInt16LE()
  bench.transact(0x2c, Uint8Array.of(0, 204), 0)
  await clock.advance(1000)
  expect(raw(7)).toBeLessThan(500)
  bench.transact(0x2c, Uint8Array.of(1, 204), 0)
  await clock.advance(1000)
  // The reference gives 0.1 V at 80 %, the other half as much with little in the vial.
  expect(raw(7)).toBeGreaterThan(3800)
  expect(raw(6)).toBeLessThan(3000)
})

test.each(['abc', '-1', ''])("a volume of '%s' is for the jobs to refuse; the vial is as usual", async (text) => {
  const { bench } = await benchOf(`[bioreactor]\ninitial_volume_ml=${text}\n`)
  expect(bench.truth.volume_ml).toBe(15)
})

test('HAT and vessel are those of the settings', async () => {
  const settings = { HAT_VERSION: '1.1', MODEL_NAME: 'pioreactor_40ml_XR', MODEL_VERSION: '1.5' }
  const { bench } = await benchOf(undefined, settings)
  expect([bench.hat, bench.model]).toEqual(['1.1', { modelName: 'pioreactor_40ml_XR', modelVersion: '1.5' }])
  expect(bench.transact(0x4b, new Uint8Array(), 0)).not.toBeNull()
})
