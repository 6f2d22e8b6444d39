import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RcCell } from '../../../../simulation/potentiostat/dummy-cells.js'
import type { VirtualPotentiostatServer } from '../../../../simulation/potentiostat/serve.js'
import { type Measured, openSocket, planOf, runMode, startDevice } from '../virtual-devices.js'

let device: VirtualPotentiostatServer & { dispose(): Promise<void> }
beforeEach(async () => {
  device = await startDevice()
})
afterEach(() => device.dispose())

const run = async (mode: string, raw: Record<string, unknown>): Promise<Measured> => {
  const measured = await runMode(await openSocket(device.path), mode, raw)
  expect(measured.error).toBeNull()
  expect(measured.stats).toMatchObject({ lostSamples: 0, underruns: 0, cellOffVerified: true })
  expect(device.device.cellSwitchClosed).toBe(false)
  expect(device.device.running).toBe(false)
  return measured
}

describe('each mode yields exactly its samples and leaves the cell open', () => {
  test.each([
    ['CA', { potential: 0.3, duration: 0.5 }],
    ['CA', { potential: 0.3, duration: 0.0004 }],
    ['LSV', { start: 0, end: 0.5, scan_rate: 1 }],
    ['CV', { start: 0, vertex1: 0.3, vertex2: -0.1, end: 0, scan_rate: 1, cycles: 1 }],
    ['PSTEP', { potentials: [0.1, 0.3], step_duration: 0.2 }],
    ['CDL', { vertex_a: 0, vertex_b: 0.05, scan_rates: [1, 2], rest_time: 0.05 }],
    ['OCP', { duration: 0.3 }],
    ['CP', { current: 1e-6, duration: 0.3 }],
    ['GS', { start: 0, end: 2e-6, num_steps: 3, step_duration: 0.1 }],
    ['GCV', { start: 0, vertex1: 1e-6, vertex2: -1e-6, num_steps: 2, step_duration: 0.05, cycles: 1 }],
    ['STEPSEQ', { currents: [1e-6, -1e-6], step_duration: 0.1 }],
  ])('%s %j', async (mode, raw) => {
    const plan = planOf(mode, raw)
    const { current, potential, stats } = await run(mode, raw)
    expect(current).toHaveLength(plan.samples)
    expect(potential).toHaveLength(plan.samples)
    expect(stats.samples).toBe(plan.samples)
    expect(stats.tiaOhm).toBeCloseTo(9990.01, 1)
  })

  test('EIS has one row per frequency', async () => {
    const raw = { start_freq: 200, end_freq: 20, points_per_decade: 2, dc_potential: 'ocp', amplitude: 0.02 }
    const { impedance } = await run('EIS', raw)
    expect(impedance.map(({ hz }) => Math.round(hz))).toHaveLength(3)
    for (const row of impedance) {
      expect(row.real).toBeGreaterThan(100)
      expect(row.imaginary).toBeLessThan(0)
    }
  })
})

describe.each([true, false])('current control by firmware that queues pairs: %s', (pidPushesPairs) => {
  test.each([
    ['CP', { current: 1e-6, duration: 0.3 }],
    ['GS', { start: 0, end: 2e-6, num_steps: 3, step_duration: 0.1 }],
    ['GCV', { start: 0, vertex1: 1e-6, vertex2: -1e-6, num_steps: 2, step_duration: 0.05, cycles: 1 }],
    ['STEPSEQ', { currents: [1e-6, -1e-6], step_duration: 0.1 }],
  ])('%s yields exactly its rows, each with a target that was asked for', async (mode, raw) => {
    await device.dispose()
    device = await startDevice({ pidPushesPairs })
    const plan = planOf(mode, raw)
    const { current, applied, stats } = await run(mode, raw)
    expect(current).toHaveLength(plan.samples)
    expect(stats.polledReadings !== null).toBe(!pidPushesPairs)
    if (plan.control !== 'galvanostatic') throw new Error('wrong plan')
    const targets = [...plan.segments()].map(({ from }) => Math.fround(from))
    expect(applied[0]).toBe(targets[0])
    expect(applied.at(-1)).toBe(targets.at(-1))
    expect(targets).toEqual(expect.arrayContaining(applied.filter((value, at) => value !== applied[at - 1])))
  })
})

test('the capacitance of a capacitor is found from its sweeps', async () => {
  await device.dispose()
  const farad = 1e-6
  device = await startDevice({ cell: (stepS) => new RcCell(stepS, { seriesOhm: 100, parallelOhm: 1e9, farad }) })
  const { stats } = await run('CDL', { vertex_a: 0, vertex_b: 0.4, scan_rates: [1, 2] })
  const { evaluation } = stats
  expect(evaluation?.points).toHaveLength(2)
  expect(Math.abs((evaluation?.capacitance_f ?? 0) / farad - 1)).toBeLessThan(0.05)
  expect(evaluation?.r_squared).toBeGreaterThan(0.99)
})
