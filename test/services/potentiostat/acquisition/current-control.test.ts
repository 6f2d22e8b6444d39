import { afterEach, describe, expect, test } from 'vitest'
import { Potentiostat } from '../../../../services/potentiostat/device/device.js'
import { registerGroups } from '../../../../services/potentiostat/device/registers.js'
import { encodeFloats } from '../../../../services/transport/register-values.codec.js'
import { ResistorCell } from '../../../../simulation/potentiostat/dummy-cells.js'
import type { ServeOptions } from '../../../../simulation/potentiostat/serve.js'
import { type Device, type Measured, openSocket, runMode, startDevice } from '../virtual-devices.js'

let device: Device | undefined
afterEach(() => device?.dispose())

const start = async (options: Partial<ServeOptions> = {}): Promise<void> => {
  device = await startDevice(options)
}
const run = async (mode: string, raw: Record<string, unknown>, gain = 1): Promise<Measured> =>
  runMode(await openSocket(device?.path ?? ''), mode, raw, { gain })
const codes = ({ stats }: Measured): readonly string[] => stats.warnings.map(({ code }) => code)
/** Added to the pin voltage of the current amplifier, V; three times that is the error behind it. */
const CURRENT_OFFSET_ADDRESS = registerGroups.analogInConfig.address + 2
const highest = (values: readonly number[]): number => Math.max(...values.map(Math.abs))

describe.each([false, true])('current control by firmware that queues pairs: %s', (pidPushesPairs) => {
  test('begins at the cell’s own potential, whatever the measurement before left in the integrator', async () => {
    await start({ pidPushesPairs })
    const before = await run('CP', { current: 4e-4, duration: 3 })
    expect(highest(before.potential)).toBeGreaterThan(4)
    await run('OCP', { duration: 3 })
    const after = await run('CP', { current: 0, duration: 1 })
    expect(after.error).toBeNull()
    expect(highest(after.potential)).toBeLessThan(0.35)
    expect(device?.device.cellSwitchClosed).toBe(false)
  }, 30_000)

  test.each([0.004, -0.004])(
    'is unwound with an amplifier that is off by 12 µA (%d V)',
    async (offsetV) => {
      await start({ pidPushesPairs })
      const gain = 0
      await run('CP', { current: 4e-3, duration: 1.5 }, gain)
      const other = new Potentiostat(await openSocket(device?.path ?? ''))
      await other.modbus.write(CURRENT_OFFSET_ADDRESS, encodeFloats([offsetV]))
      await other.close()
      await run('OCP', { duration: 2 }, gain)
      const { error, potential } = await run('CP', { current: 3 * (offsetV / 1000), duration: 0.5 }, gain)
      expect(error).toBeNull()
      expect(highest(potential)).toBeLessThan(0.4)
    },
    30_000,
  )

  test.each([
    ['CP', { current: 4e-4, duration: 20, potential_max: 1 }],
    ['GS', { start: 3e-4, end: 4e-4, num_steps: 2, step_duration: 10, potential_max: 1 }],
    ['GCV', { start: 4e-4, vertex1: 4e-4, vertex2: 0, num_steps: 1, step_duration: 10, cycles: 1, potential_max: 1 }],
    ['STEPSEQ', { currents: [4e-4], step_duration: 20, voltage_cutoff: 1 }],
  ])(
    '%s ends at once at its potential limit',
    async (mode, raw) => {
      await start({ pidPushesPairs })
      const { error, stats, current, potential } = await run(mode, raw)
      expect(error).toBeNull()
      expect(stats.endedBy).toContain('potential of 1 V was reached')
      expect(stats.warnings.map(({ code }) => code)).toContain('limit_reached')
      // At most 0.05 V/ms, a look every 8 ms.
      expect(highest(potential)).toBeLessThan(1.5)
      expect(device?.device.cellSwitchClosed).toBe(false)
      expect(current.length).toBeGreaterThan(0)
      expect(current.length).toBeLessThan(0.5 * (20 / 0.00036))
    },
    30_000,
  )

  test('a negative current ends at the lowest potential allowed', async () => {
    await start({ pidPushesPairs })
    const { stats } = await run('CP', { current: -4e-4, duration: 20, potential_min: -0.8 })
    expect(stats.endedBy).toContain('the lowest potential of -0.8 V was reached')
  }, 30_000)

  test('a current that the cell does not take is told, and marks its samples', async () => {
    await start({ pidPushesPairs, cell: () => new ResistorCell(450_000) })
    const measured = await run('CP', { current: 4e-4, duration: 2 })
    expect(measured.error).toBeNull()
    expect(codes(measured)).toEqual(expect.arrayContaining(['current_not_held', 'potential_saturated']))
    const { message = '' } = measured.stats.warnings.find(({ code }) => code === 'current_not_held') ?? {}
    expect(message).toMatch(/2 % of it and 0\.1 % of the range in \d+ of \d+ settled samples \(100 %\)/)
    expect(message).toContain('instead of 400 µA')
    expect(measured.offTarget.at(-1)).toBe(1)
  }, 30_000)

  test('a current that flows is not warned of', async () => {
    await start({ pidPushesPairs, cell: () => new ResistorCell(2000) })
    const measured = await run('STEPSEQ', { currents: [1e-4, -1e-4], step_duration: 1.5 })
    expect(codes(measured).filter((code) => code !== 'readings_polled')).toEqual([])
  }, 30_000)
})

test('a limit that the cell passes at rest is an error before the cell is connected', async () => {
  await start()
  const { error, current } = await run('CP', { current: 1e-6, duration: 1, potential_max: 0.1 })
  expect(error).toMatchObject({ code: 'potentiostat.limit_passed' })
  expect(current).toEqual([])
})
