import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SlotState } from '../../../../events/potentiostat/run-state.js'
import type { Faults } from '../../../../simulation/potentiostat/faults.js'
import { eventually } from '../../../support/eventually.js'
import { type Box, PluggedPorts, startBox } from '../box.js'
import { type Device, planOf, startDevice } from '../virtual-devices.js'

/** One slot per class of mode, all measured at once under the same fault: `short` for faults that are there from the start, `long` for those that
 * come while samples arrive. */
const classes = [
  {
    name: 'potentiostatic',
    mode: 'CA',
    short: { potential: 0.3, duration: 0.6 },
    long: { potential: 0.3, duration: 2 },
  },
  {
    name: 'current control with queued pairs',
    mode: 'CP',
    short: { current: 1e-6, duration: 0.6 },
    long: { current: 1e-6, duration: 2 },
  },
  {
    name: 'current control by readings',
    mode: 'CP',
    short: { current: 1e-6, duration: 0.6 },
    long: { current: 1e-6, duration: 2 },
    pidPushesPairs: false,
  },
  { name: 'open circuit', mode: 'OCP', short: { duration: 0.6 }, long: { duration: 2 } },
  {
    name: 'capacitance',
    mode: 'CDL',
    short: { vertex_a: 0, vertex_b: 0.2, scan_rates: [2, 4] },
    long: { vertex_a: 0, vertex_b: 0.2, scan_rates: [0.8, 1] },
  },
  {
    name: 'impedance',
    mode: 'EIS',
    short: { start_freq: 200, end_freq: 100, points_per_decade: 5, dc_potential: 'ocp' },
    long: { start_freq: 200, end_freq: 20, points_per_decade: 5, dc_potential: 'ocp' },
  },
]

type Length = 'short' | 'long'

interface Place extends Readonly<Record<Length, Record<string, unknown>>> {
  readonly name: string
  readonly slot: string
  readonly mode: string
  readonly device: Device
}

let box: Box
let places: Place[]
let round = 0

beforeAll(async () => {
  const ports = new PluggedPorts()
  places = await Promise.all(
    classes.map(async ({ pidPushesPairs = true, ...measured }, index) => {
      const device = await startDevice({ serial: `AAAAAAAAAAA${index}`, pidPushesPairs })
      return { ...measured, slot: `slot0${index + 1}`, device }
    }),
  )
  ports.plugged = places.map(({ device: { path, serial } }) => ({ path, serialNumber: serial }))
  box = await startBox(ports)
})
afterAll(async () => {
  await box.service.stop()
  await Promise.all(places.map(({ device }) => device.dispose()))
})

/** Measures on every slot. @param onSamples called when the slot's first samples have come. */
async function measureAll(
  length: Length,
  onSamples: (place: Place) => void = () => undefined,
): Promise<readonly Measured[]> {
  round += 1
  return Promise.all(
    places.map(async (place) => {
      const { name, slot, mode } = place
      const raw = place[length]
      const runId = `r${round}-${slot}`
      await box.start({ run_id: runId, devices: [slot], modes: [mode], params_by_mode: { [mode]: raw } })
      const ended = box.ended(runId, slot)
      void box.heard(`potentiostat/A/${runId}/${slot}/samples`, () => true).then(() => onSamples(place))
      const state = await ended
      return { name, place, planned: planOf(mode, raw).samples, state, rows: rowsKept(runId, slot) }
    }),
  )
}

interface Measured {
  readonly name: string
  readonly place: Place
  /** Samples of the whole measurement. */
  readonly planned: number
  readonly state: SlotState
  readonly rows: number
}

/** Rows that were published, each following the one before it. */
function rowsKept(runId: string, slot: string): number {
  let rows = 0
  for (const { first, current } of box.blocks(runId, slot)) {
    expect(first).toBe(rows)
    rows += current.length
  }
  return rows
}

const isClosed = ({ device }: Place): boolean => device.device.cellSwitchClosed
/** Every slot can be ordered from again. */
const allConnected = async (): Promise<void> => {
  await eventually(async () => expect(await box.rescan()).toMatchObject({ devices: { length: places.length } }))
}

describe('recovered, every sample there', { timeout: 120_000 }, () => {
  test.each<Faults>([
    { dropEvery: 23 },
    { corruptEvery: 29 },
    { delayEvery: 37 },
    { cutEvery: 31 },
    { leftoverPoints: 500 },
    { stopLatched: true },
    { startsRunning: true, leftoverPoints: 200 },
  ])('%j', async (faults) => {
    for (const { device } of places) device.setFaults(faults)
    for (const { name, place, planned, state, rows } of await measureAll('short')) {
      expect([name, state.status]).toEqual([name, 'done'])
      expect(state.reports).toMatchObject([
        { samples: planned, lost_samples: 0, underruns: 0, cell_off_verified: true, rows },
      ])
      expect([name, isClosed(place)]).toEqual([name, false])
    }
    for (const { device } of places) device.setFaults({})
  })
})

describe('failed with the reason, rows kept, cell open', { timeout: 120_000 }, () => {
  const expectFailed = ({ name, planned, state, rows }: Measured, reason: RegExp): void => {
    expect([name, state.status, state.message]).toEqual([name, 'failed', expect.stringMatching(reason)])
    expect([name, rows > 0, state.reports[0]?.rows]).toEqual([name, true, rows])
    expect(state.reports[0]?.samples).toBeLessThan(planned)
  }

  test('a control loop that rests for a second, so that samples are lost', async () => {
    for (const measured of await measureAll('long', ({ device }) => device.setFaults({ haltAfter: 1 }))) {
      expectFailed(measured, /lost|measured nothing|no point to play/)
      expect([measured.name, isClosed(measured.place)]).toEqual([measured.name, false])
    }
  })

  test('a port that disappears and comes back: the cell is open once the slot is back', async () => {
    for (const measured of await measureAll('long', ({ device }) => device.setFaults({ replugAfter: 1 }))) {
      expectFailed(measured, /connection .* (gone|closed)/)
    }
    await allConnected()
    expect(places.filter(isClosed)).toEqual([])
  })

  test('a device that falls silent is no longer listed; once it answers again its cell is open and it is back', async () => {
    for (const measured of await measureAll('long', ({ device }) => device.setFaults({ stuckAfter: 0 }))) {
      expectFailed(measured, /did not confirm an open cell switch/)
      expect(measured.state.reports[0]?.cell_off_verified).toBe(false)
      const record = box.broker.payloads(`potentiostat/A/$devices/${measured.place.slot}`).at(-1) ?? ''
      expect(JSON.parse(record)).toMatchObject({ connected: false, run_id: null })
    }
    for (const { device } of places) device.setFaults({})
    await eventually(() => expect(places.filter(isClosed)).toEqual([]))
    await allConnected()
  })
})
