import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { OrderOf } from '../../../events/core/define-command.js'
import type { Clock } from '../../../events/ports.js'
import type { startRunCommand } from '../../../events/potentiostat/commands.js'
import { POTENTIOSTAT_USB } from '../../../services/potentiostat/device/registers.js'
import type { SerialConnection } from '../../../services/transport/hardware.js'
import { Pacer } from '../../../simulation/potentiostat/pacer.js'
import { PoweredDevice } from '../../../simulation/potentiostat/powered-device.js'
import { FakeClock } from '../../support/fake-clock.js'
import { MemoryBroker } from '../../support/memory-bus.js'
import { startBox } from './box.js'

/** Runs of each mode as clients see them, message by message, with time and chance given. They were recorded before the events, errors, rooms
 * and primitives of the services were declared anew, and are equal since. `vitest run --update` writes them anew.
 *
 * Recordings of the first modes differ from these by what results came to say of their worth, and by nothing else: the columns `saturated` and
 * `off_target`, their labels in the samples and warnings in reports and states; the parameters `potential_min`, `potential_max` and
 * `voltage_cutoff` of current control, which starts with its integrator unwound; the times of the extra requests that this takes. */

type RecordedRun = Partial<OrderOf<typeof startRunCommand>> & { readonly cancelAfterS?: number }

const of = (mode: string, params: Record<string, unknown>): RecordedRun => ({
  modes: [mode],
  params_by_mode: { [mode]: params },
})

const RUNS: Readonly<Record<string, RecordedRun>> = {
  ca: of('CA', { potential: 0.3, duration: 0.5 }),
  lsv: of('LSV', { start: 0, end: 0.5, scan_rate: 1 }),
  cv: of('CV', { start: 0, vertex1: 0.3, vertex2: -0.2, end: 0, scan_rate: 2, cycles: 2 }),
  pstep: of('PSTEP', { potentials: [0.1, -0.1, 0.2], step_duration: 0.2 }),
  cp: of('CP', { current: 1e-5, duration: 0.5 }),
  gs: of('GS', { start: 0, end: 2e-5, num_steps: 3, step_duration: 0.2 }),
  gcv: of('GCV', { start: 0, vertex1: 1e-5, vertex2: -1e-5, num_steps: 2, step_duration: 0.1, cycles: 1 }),
  stepseq: of('STEPSEQ', { currents: [1e-5, -1e-5], step_duration: 0.2 }),
  ocp: of('OCP', { duration: 0.5 }),
  cdl: of('CDL', { vertex_a: -0.05, vertex_b: 0.05, scan_rates: [1, 2], rest_time: 0.05 }),
  eis: of('EIS', { start_freq: 100, end_freq: 20, points_per_decade: 3, cycles_per_freq: 2, spacing: 'log' }),
  'every-sample': { ...of('CA', { potential: 0.3, duration: 0.1 }), sampling_interval: null },
  'one-after-the-other': {
    modes: ['OCP', 'CA'],
    params_by_mode: { OCP: { duration: 0.2 }, CA: { potential: -0.2, duration: 0.2 } },
  },
  cancelled: { ...of('CA', { potential: 0.3, duration: 30 }), cancelAfterS: 0.5 },
  refused: of('CA', { potential: 0.3, duration: -1 }),
}

/** A serial line as fast as USB, on the clock of the test. */
function lineTo(powered: PoweredDevice, clock: Clock): SerialConnection {
  let onData: (bytes: Uint8Array) => void = () => undefined
  let onClose: () => void = () => undefined
  let open = true
  const send = powered.connect((bytes) => onData(bytes))
  return {
    get open() {
      return open
    },
    async write(bytes) {
      await clock.sleepUntil(clock.monotonicMs() + 0.5)
      send(bytes)
    },
    onData: (listener) => {
      onData = listener
    },
    onClose: (listener) => {
      onClose = () => listener(null)
    },
    async close() {
      if (!open) return
      open = false
      onClose()
    },
  }
}

/** Writes down each message as time in s, `r` when retained, topic and payload; lines with `#` say what was asked for. */
async function record(name: string, { cancelAfterS, ...order }: RecordedRun): Promise<readonly string[]> {
  const clock = new FakeClock()
  const broker = new MemoryBroker()
  const powered = new PoweredDevice(new Pacer(clock), { serial: '0123456789AB', seed: 1 })
  const lines: string[] = []
  const deliver = broker.deliver.bind(broker)
  broker.deliver = (topic, payload, retain, qos) => {
    if (topic.startsWith('potentiostat/')) {
      const at = (clock.monotonicMs() / 1000).toFixed(3).padStart(8)
      lines.push(`${at} ${retain ? 'r' : '-'} ${topic} ${payload.toString()}`)
    }
    deliver(topic, payload, retain, qos)
  }
  const serial = {
    list: async () => [{ path: '/dev/x', serialNumber: '0123456789AB', usb: POTENTIOSTAT_USB }],
    open: async () => lineTo(powered, clock),
  }
  const starting = startBox(serial, broker, clock)
  await clock.advance(500)
  const box = await starting
  lines.push(`# start ${JSON.stringify(order)}`)
  const asked = { devices: ['slot01'], run_id: name, sampling_interval: 0.01, ...order }
  const outcome = box.start(asked).then(
    () => 'accepted',
    (error: { readonly code: string }) => error.code,
  )
  await clock.advance(0)
  lines.push(`# ${await outcome}`)
  if (cancelAfterS !== undefined) {
    await clock.advance(cancelAfterS * 1000)
    lines.push('# cancel')
    await box.cancel(name)
  }
  const isEnded = (): boolean =>
    broker
      .payloads(`potentiostat/A/${name}/slot01/state`)
      .some((text) => /"status":"(done|failed|cancelled)"/.test(text))
  if ((await outcome) === 'accepted')
    for (let waited = 0; !isEnded() && waited < 1000; waited++) await clock.advance(10)
  await Promise.all([box.service.stop(), clock.advance(2000)])
  powered.stop()
  return lines
}

// Replies come on the clock of the test: no timeout of the real one may get in between.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test.each(Object.entries(RUNS))('%s', async (name, order) => {
  const lines = await record(name, order)
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`${process.cwd()}/test/fixtures/recorded-runs/${name}.txt`)
})
