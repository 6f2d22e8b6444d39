import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { POTENTIOSTAT_USB } from '../../../../services/potentiostat/device/registers.js'
import type { SerialPorts } from '../../../../services/transport/hardware.js'
import { serialPorts } from '../../../../services/transport/serial-port.js'
import { until } from '../../../support/until.js'
import { type Box, startBox } from '../box.js'
import { type PtyDevice, planOf, startPtyDevice, withoutPty } from '../virtual-devices.js'

/** Replies until the port disappears: the device is measuring by then. */
const REPLIES = 300

let server: PtyDevice
let box: Box
afterEach(async () => {
  await box.service.stop()
  await server.dispose()
})

/** Lists the terminal as long as it is there, as udev does. */
const ptyPorts = (): SerialPorts => ({
  list: async () =>
    existsSync(server.link) ? [{ path: server.link, usb: POTENTIOSTAT_USB, serialNumber: '0123456789AB' }] : [],
  open: serialPorts.open,
})

describe.skipIf(withoutPty)('a serial port that disappears in a run', () => {
  test.each([
    ['CA', { potential: 0.3, duration: 20 }],
    ['CP', { current: 1e-6, duration: 20 }],
    ['OCP', { duration: 20 }],
  ])('%s fails with its rows; the slot is back with the port, cell open, and measures', async (mode, raw) => {
    server = await startPtyDevice({ faults: { replugAfter: REPLIES } })
    box = await startBox(ptyPorts())
    await box.start({ modes: [mode], params_by_mode: { [mode]: raw } })
    const state = await box.ended('r1', 'slot01')
    expect(state).toMatchObject({ status: 'failed', message: expect.stringMatching(/connection .* (gone|closed)/) })
    const rows = box.blocks('r1', 'slot01').reduce((sum, { current }) => sum + current.length, 0)
    expect(state.reports).toMatchObject([{ rows }])
    expect(rows).toBeGreaterThan(0)
    expect(rows).toBeLessThan(planOf(mode, raw).samples)

    await until(async () => ((await box.rescan()) as { devices: string[] }).devices.length === 1, 'the slot')
    expect(server.device.cellSwitchClosed).toBe(false)
    await box.start({ run_id: 'r2', modes: ['OCP'], params_by_mode: { OCP: { duration: 0.1 } } })
    expect(await box.ended('r2', 'slot01')).toMatchObject({ status: 'done', device_sn: '0123456789AB' })
  })
})
