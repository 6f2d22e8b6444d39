import { describe, expect, test } from 'vitest'
import type { Load } from '../../../simulation/bioreactor/physical-vial.js'
import { VirtualVial, type VirtualVialOptions } from '../../../simulation/bioreactor/virtual-vial.js'
import { FakeClock } from '../../support/fake-clock.js'

function given(options: Partial<VirtualVialOptions> = {}) {
  const clock = new FakeClock()
  const vial = new VirtualVial({ clock, seed: 5, parameters: { roomC: 30 }, ...options })
  vial.setLight('A', 0.8)
  return { clock, vial }
}

type Rig = ReturnType<typeof given>

/** Mean of so many readings of one moment. */
const mean = (read: () => number, count = 400): number =>
  Array.from({ length: count }, read).reduce((sum, value) => sum + value, 0) / count

const spread = (read: () => number, count = 400): number => {
  const values = Array.from({ length: count }, read)
  const middle = values.reduce((sum, value) => sum + value, 0) / count
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / count)
}

/** A morning of feeding, stirring and heating. */
async function feed({ clock, vial }: Rig, look: () => void = () => undefined): Promise<void> {
  const acts: readonly [Load, number, number][] = [
    ['heating', 40, 95_003],
    ['stirring', 30, 1517],
    ['media', 100, 10_333],
    ['media', 0, 20_000],
    ['waste', 100, 30_700],
    ['waste', 0, 600_000],
    ['heating', 0, 3_600_000],
  ]
  for (const [load, percent, ms] of acts) {
    vial.setDuty(load, percent)
    for (let left = ms; left > 0; left -= 7919) {
      await clock.advance(Math.min(7919, left))
      look()
    }
  }
}

test('looking changes nothing: the vial takes the same course however often it is looked at', async () => {
  const [alone, watched] = [given(), given()]
  await feed(alone)
  await feed(watched, () => {
    void watched.vial.truth
    watched.vial.photodiodeVolts('pd2')
  })
  expect(watched.vial.truth).toEqual(alone.vial.truth)
})

test('a seed and the same acts give the same readings, another seed others', async () => {
  const run = async (seed: number) => {
    const rig = given({ seed })
    await feed(rig)
    return [rig.vial.photodiodeVolts('pd1'), rig.vial.heaterBoardC(), rig.vial.truth.od]
  }
  expect(await run(3)).toEqual(await run(3))
  expect((await run(3)).slice(0, 2)).not.toEqual((await run(4)).slice(0, 2))
})

test('the truth is that of the moment', async () => {
  const { clock, vial } = given({ culture: { od: 0.5, volumeMl: 15, readiness: 1e6 } })
  vial.setDuty('media', 100)
  await clock.advance(10_500)
  expect(vial.truth.volume_ml).toBeCloseTo(15 + 10.5 * 0.0911, 3)
  expect(vial.truth.media_in_ml).toBeCloseTo(10.5 * 0.0911, 6)
  vial.setDuty('media', 0)
  const { od, growth_rate_per_hour: rate } = vial.truth
  await clock.advance(60_000)
  expect(Math.log(vial.truth.od / od) * 60).toBeCloseTo(rate, 2)
})

describe('photodiodes', () => {
  test('see room and mains beside the LED, and the room by day and night', async () => {
    const { clock, vial } = given()
    vial.setLight('A', 0)
    const at = () => mean(() => vial.photodiodeVolts('pd2'))
    const noon = at()
    await clock.advance(5)
    expect(at() - noon).toBeCloseTo(0.0003, 4)
    await clock.advance(12 * 3600 * 1000 - 5)
    expect(noon - at()).toBeCloseTo(0.0006, 4)
  })

  test('see an LED that drifts a little and ages', async () => {
    const { clock, vial } = given({ culture: { od: 0 } })
    const seen: number[] = []
    for (let hour = 0; hour < 48; hour++) {
      seen.push(mean(() => vial.photodiodeVolts('pd1')))
      await clock.advance(3_600_000)
    }
    for (const volts of seen) expect(Math.abs(volts - 0.102)).toBeLessThan(0.003)
    expect(new Set(seen).size).toBe(seen.length)
  })

  test('look where the configuration says, and there is no fifth', () => {
    const { vial } = given({ angles: { pd2: 'REF' } })
    expect(mean(() => vial.photodiodeVolts('pd2'))).toBeCloseTo(
      mean(() => vial.photodiodeVolts('pd1')),
      3,
    )
    expect(vial.photodiodeVolts('pd5')).toBe(0)
  })
})

describe('faults', () => {
  test('a stuck sensor repeats itself until it is mended', async () => {
    const { clock, vial } = given()
    vial.setFault({ name: 'stuck', where: 'heater_board' })
    const stuck = vial.heaterBoardC()
    vial.setDuty('heating', 100)
    await clock.advance(60_000)
    expect(vial.heaterBoardC()).toBe(stuck)
    vial.clearFault({ name: 'stuck', where: 'heater_board' })
    expect(vial.heaterBoardC()).toBeGreaterThan(stuck + 5)
  })

  test('a noisy sensor has much more noise', () => {
    const { vial } = given()
    const before = spread(() => vial.photodiodeVolts('pd2'))
    vial.setFault({ name: 'noisy', where: 'pd2' })
    expect(spread(() => vial.photodiodeVolts('pd2'))).toBeGreaterThan(10 * before)
    expect(spread(() => vial.photodiodeVolts('pd1'))).toBeLessThan(0.001)
  })

  test('an LED that has burnt out gives no light', () => {
    const { vial } = given()
    vial.setFault({ name: 'led_burnt_out', where: 'A' })
    expect(mean(() => vial.photodiodeVolts('pd1'))).toBeLessThan(0.004)
    vial.clearFault()
    expect(mean(() => vial.photodiodeVolts('pd1'))).toBeGreaterThan(0.09)
  })

  test('what holds the bar stops it at once', async () => {
    const { clock, vial } = given()
    const edges: number[] = []
    vial.watchRotor((timeS) => edges.push(timeS))
    vial.setDuty('stirring', 30)
    await clock.advance(5000)
    vial.setFault({ name: 'stirrer_stalled', where: '' })
    const turned = edges.length
    expect(turned).toBeGreaterThan(30)
    await clock.advance(5000)
    vial.reportEdges()
    expect(edges.length).toBe(turned)
    expect(vial.truth.rpm).toBe(0)
    vial.clearFault()
    await clock.advance(5000)
    expect(vial.truth.rpm).toBeCloseTo(500, 0)
  })

  test('a blocked pump moves nothing, a tube that has fallen out soon only air', async () => {
    const { clock, vial } = given({ culture: { volumeMl: 12 } })
    vial.setFault({ name: 'pump_blocked', where: 'media' })
    vial.setFault({ name: 'tube_out', where: 'alt_media' })
    vial.setDuty('media', 100)
    vial.setDuty('alt_media', 100)
    await clock.advance(60_000)
    expect(vial.truth.media_in_ml).toBe(0)
    // What the tube itself still held.
    expect(vial.truth.alt_media_in_ml).toBeCloseTo(1, 6)
  })

  test('with its tube out of the liquid the waste pump draws nothing', async () => {
    const { clock, vial } = given({ culture: { volumeMl: 18 } })
    vial.setFault({ name: 'tube_out', where: 'waste' })
    vial.setDuty('waste', 100)
    await clock.advance(60_000)
    expect(vial.truth.waste_out_ml).toBe(0)
  })
})

test('edges are told when they are called for, each with its own time', async () => {
  const { clock, vial } = given()
  const edges: number[] = []
  const end = vial.watchRotor((timeS) => edges.push(timeS))
  vial.setDuty('stirring', 30)
  await clock.advance(10_000)
  expect(edges).toEqual([])
  vial.reportEdges()
  const gaps = edges.slice(-10).map((timeS, index, last) => timeS - (last[index - 1] ?? timeS - 0.12))
  for (const gap of gaps) expect(gap).toBeCloseTo(0.12, 2)
  const told = edges.length
  end()
  await clock.advance(10_000)
  vial.reportEdges()
  expect(edges.length).toBe(told)
})
