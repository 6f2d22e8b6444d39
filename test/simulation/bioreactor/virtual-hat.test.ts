import { describe, expect, test } from 'vitest'
import { openBioreactor } from '../../../services/bioreactor/board/open-bioreactor.js'
import { createInProcessHardware } from '../../../simulation/in-process-hardware.js'
import { type BenchOptions, VirtualBench } from '../../../simulation/virtual-bench.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const SETTLE_MS = 500

async function lab(options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock()
  const bench = new VirtualBench({ clock, seed: 7, ...options })
  const bioreactor = await openBioreactor(
    createInProcessHardware(bench),
    { dotPioreactor: temporaryDirectory() },
    clock,
  )
  return { clock, bench, bioreactor }
}

/** Mean of so many conversions, V; time passes while they are taken. */
async function volts({ clock, bioreactor }: Awaited<ReturnType<typeof lab>>, channel: '1' | '2', count = 40) {
  const adc = await bioreactor.openPhotodiode(channel)
  let sum = 0
  for (let taken = 0; taken < count; taken++) {
    const reading = adc.readRaw()
    await clock.advance(20)
    sum += adc.toVolts(await reading)
  }
  return sum / count
}

const boards: [string, Partial<BenchOptions>, string][] = [
  ['HAT 1.2, model 20 ml 1.1', {}, 'pico'],
  ['HAT 1.2, model 40 ml 1.5', { modelName: 'pioreactor_40ml', modelVersion: '1.5' }, 'ads1114'],
  ['HAT 1.0, model 20 ml 1.0', { hat: '1.0', modelVersion: '1.0' }, 'ads1115'],
]

describe.each(boards)('%s', (_, options, kind) => {
  test('the drivers find their chips', async () => {
    const { bioreactor, bench } = await lab(options)
    expect((await bioreactor.openPhotodiode('2')).kind).toBe(kind)
    expect(await bioreactor.isHatPresent()).toBe(true)
    expect(await bioreactor.isHeaterBoardPresent()).toBe(true)
    await bioreactor.leds.set('B', 40)
    expect(bench.outputs.leds).toEqual({ A: 0, B: 40, C: 0, D: 0 })
  })

  test('the supply of heater, pumps and stirrer is 5 V, and the heater board at the room', async () => {
    const { bioreactor, clock } = await lab(options)
    const reading = bioreactor.readRailVolts()
    await clock.advance(50)
    expect(await reading).toBeCloseTo(5, 6)
    expect(await bioreactor.readHeaterBoardC()).toBeCloseTo(22, 0)
  })

  test('the photodiodes see the IR LED, and next to nothing without it', async () => {
    const rig = await lab(options)
    expect(await volts(rig, '1')).toBeLessThan(0.004)
    expect(await volts(rig, '2')).toBeLessThan(0.004)
    await rig.bioreactor.leds.set('A', 80)
    await rig.clock.advance(SETTLE_MS)
    expect(await volts(rig, '1')).toBeCloseTo(0.102, 2)
    const at80 = await volts(rig, '2')
    await rig.bioreactor.leds.set('A', 40)
    await rig.clock.advance(SETTLE_MS)
    expect(await volts(rig, '2')).toBeCloseTo(at80 / 2, 2)
    await rig.bioreactor.leds.set('A', 0)
    await rig.clock.advance(SETTLE_MS)
    expect(await volts(rig, '2')).toBeLessThan(0.004)
  })

  test('readings rise with every ten minutes of growth, the reference does not', async () => {
    const rig = await lab({ ...options, parameters: { roomC: 37 } })
    await rig.bioreactor.leds.set('A', 80)
    const [scattered, reference]: [number[], number[]] = [[], []]
    for (let reading = 0; reading < 6; reading++) {
      await rig.clock.advance(600_000)
      scattered.push(await volts(rig, '2'))
      reference.push(await volts(rig, '1'))
    }
    expect(scattered).toEqual([...scattered].sort((a, b) => a - b))
    expect(scattered.at(-1)).toBeGreaterThan(1.5 * (scattered[0] ?? 0))
    for (const value of reference) expect(value).toBeCloseTo(0.102, 2)
  })
})

test('a seed and the same acts give the same readings, another seed others', async () => {
  const run = async (seed: number) => {
    const rig = await lab({ seed })
    await rig.bioreactor.leds.set('A', 80)
    return [await volts(rig, '1', 5), await volts(rig, '2', 5)]
  }
  expect(await run(3)).toEqual(await run(3))
  expect(await run(3)).not.toEqual(await run(4))
})

test('growth shows within ten readings, five seconds apart', async () => {
  const rig = await lab({ parameters: { roomC: 37 }, culture: { readiness: 100 } })
  await rig.bioreactor.leds.set('A', 80)
  await rig.clock.advance(60_000)
  const readings: number[] = []
  for (let reading = 0; reading < 10; reading++) {
    readings.push(await volts(rig, '2'))
    await rig.clock.advance(4200)
  }
  const half = (from: number) => readings.slice(from, from + 5).reduce((sum, value) => sum + value, 0)
  expect(half(5)).toBeGreaterThan(half(0))
})

test('a photodiode the model does not have is refused by name', async () => {
  const { bioreactor } = await lab()
  await expect(bioreactor.openPhotodiode('3')).rejects.toMatchObject({
    code: 'hardware.no_photodiode',
    message: 'Photodiode 3: this model has pd1, pd2.',
  })
})

test('a read before the conversion is done repeats the last one', async () => {
  const clock = new FakeClock()
  const bench = new VirtualBench({ clock, seed: 1, modelName: 'pioreactor_40ml', modelVersion: '1.5' })
  const read = () => Buffer.from(bench.transact(0x49, Uint8Array.of(0), 2) ?? []).toString('hex')
  bench.transact(0x2c, Uint8Array.of(0, 204), 0)
  bench.transact(0x49, Uint8Array.of(0x01, 0x08, 0x83), 0)
  expect(read()).toBe('0000')
  await clock.advance(8)
  const first = read()
  expect(first).not.toBe('0000')
  expect(read()).toBe(first)
  await clock.advance(8)
  expect(read()).not.toBe(first)
})

test('the heater shows at the probe', async () => {
  const { clock, bench } = await lab()
  const celsius = () => Buffer.from(bench.transact(0x4f, Uint8Array.of(0), 2) ?? []).readInt16BE() / 256
  expect(celsius()).toBeCloseTo(22, 0)
  bench.setPwm(18, 30)
  await clock.advance(120_000)
  expect(celsius()).toBeGreaterThan(27)
})
