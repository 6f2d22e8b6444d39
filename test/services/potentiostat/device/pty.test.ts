import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { rowsOf } from '../../../../services/potentiostat/acquisition/plan.js'
import { openPort } from '../../../support/serial-hardware.js'
import { type Measured, type PtyDevice, planOf, runMode, startPtyDevice, withoutPty } from '../virtual-devices.js'

/** Fields of a row that every mode has, and those that come with the mode. */
const columns: Readonly<Record<string, readonly (keyof Measured)[]>> = {
  CV: ['applied', 'cycle'],
  CDL: ['applied', 'cycle'],
  GCV: ['applied', 'cycle'],
  PSTEP: ['applied', 'step'],
  OCP: [],
}
const orders: readonly (readonly [string, Record<string, unknown>])[] = [
  ['CA', { potential: 0.3, duration: 0.5 }],
  ['LSV', { start: 0, end: 0.3, scan_rate: 1 }],
  ['CV', { start: 0, vertex1: 0.4, vertex2: -0.1, end: 0, scan_rate: 1, cycles: 1 }],
  ['PSTEP', { potentials: [0.1, 0.3, -0.1], step_duration: 0.1 }],
  ['CP', { current: 1e-6, duration: 0.3 }],
  ['GS', { start: 0, end: 2e-6, num_steps: 3, step_duration: 0.1 }],
  ['GCV', { start: 0, vertex1: 1e-6, vertex2: -1e-6, end: 0, num_steps: 2, step_duration: 0.1, cycles: 1 }],
  ['STEPSEQ', { currents: [1e-6, -1e-6], step_duration: 0.1 }],
  ['OCP', { duration: 0.3 }],
  ['CDL', { vertex_a: 0, vertex_b: 0.1, scan_rates: [1, 2], rest_time: 0.1 }],
  ['EIS', { start_freq: 200, end_freq: 20, points_per_decade: 3, cycles_per_freq: 2, dc_potential: 'ocp' }],
]

describe.skipIf(withoutPty)('through a real serial port', () => {
  let server: PtyDevice

  beforeEach(async () => {
    server = await startPtyDevice()
  })
  afterEach(() => server.dispose())

  test.each(orders)('%s yields exactly its rows and leaves the cell open', async (mode, raw) => {
    const measured = await runMode(await openPort(server.link), mode, raw)
    const plan = planOf(mode, raw)
    expect(measured.error).toBeNull()
    if (mode === 'EIS') expect(measured.impedance).toHaveLength(rowsOf(plan, 1))
    else {
      for (const column of ['current', 'potential', ...(columns[mode] ?? ['applied'])] as const) {
        expect(measured[column]).toHaveLength(plan.samples)
      }
    }
    expect(measured.stats).toMatchObject({ lostSamples: 0, underruns: 0, cellOffVerified: true })
    expect(server.device.cellSwitchClosed).toBe(false)
  })

  test('a port that is not there cannot be opened', async () => {
    await expect(openPort(`${server.link}9`)).rejects.toThrow('cannot be opened')
  })
})
