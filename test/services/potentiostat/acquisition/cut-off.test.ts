import { afterEach, describe, expect, test } from 'vitest'
import { ResistorCell } from '../../../../simulation/potentiostat/dummy-cells.js'
import { type Box, PluggedPorts, startBox } from '../box.js'
import { type Device, planOf, startDevice } from '../virtual-devices.js'

let device: Device
let box: Box
afterEach(async () => {
  await box.service.stop()
  await device.dispose()
})

/** Measures on a resistor of 1 kΩ and tells how it ended. */
async function measure(raw: Record<string, unknown>) {
  device = await startDevice({ cell: () => new ResistorCell(1000) })
  const ports = new PluggedPorts()
  ports.plugged = [{ path: device.path, serialNumber: device.serial }]
  box = await startBox(ports)
  await box.start({ modes: ['CA'], params_by_mode: { CA: raw }, tia_gain: 0 })
  const state = await box.ended('r1', 'slot01')
  const applied = box.blocks('r1', 'slot01').flatMap((block) => block.applied ?? [])
  return { state, applied, planned: planOf('CA', raw).samples }
}

describe('a measurement with a limit', () => {
  test('of charge ends as done once 0.1 mC have passed, which 0.5 mA take 0.2 s for', async () => {
    const { state, applied, planned } = await measure({ voltage_v: 0.5, duration_s: 20, charge_cutoff_c: 1e-4 })
    expect(state).toMatchObject({ status: 'done', message: 'CA: Ended early: a charge of 0.0001 C was reached.' })
    expect(state.reports).toMatchObject([
      {
        ended_by: 'a charge of 0.0001 C was reached',
        rows: applied.length,
        warnings: [{ code: 'limit_reached', mode_index: 0 }],
      },
    ])
    expect(applied.length).toBeGreaterThan(550)
    expect(applied.length).toBeLessThan(planned / 2)
    expect(device.device.cellSwitchClosed).toBe(false)
  })

  test('of potential ends current control once it is reached', async () => {
    const raw = { voltage_v: 0, control_mode: 'current', current_ma: 0.3, duration_s: 20, voltage_cutoff_v: 0.2 }
    const { state, applied, planned } = await measure(raw)
    expect(state).toMatchObject({
      status: 'done',
      message: expect.stringContaining('CA: Ended early: a potential of 0.2 V was reached'),
      reports: [{ ended_by: expect.stringContaining('a potential of 0.2 V was reached') }],
    })
    expect(applied[0]).toBeCloseTo(3e-4, 8)
    expect(applied.length).toBeLessThan(planned / 2)
    expect(device.device.cellSwitchClosed).toBe(false)
  })

  test('that is not reached yields every row', async () => {
    const raw = { voltage_v: 0.5, duration_s: 0.3, frequency_hz: 10, charge_cutoff_c: 1, voltage_cutoff_v: 3 }
    const { state, applied, planned } = await measure(raw)
    expect(state).toMatchObject({ status: 'done', reports: [{ rows: planned }] })
    expect(state.reports[0]).not.toHaveProperty('ended_by')
    expect(new Set(applied)).toEqual(new Set([0.5, -0.5]))
  })
})
