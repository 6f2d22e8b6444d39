import { afterEach, expect, test } from 'vitest'
import { createClock } from '../../../clock.js'
import { instruments } from '../../../instruments.js'
import { POTENTIOSTAT_USB } from '../../../services/potentiostat/device/registers.js'
import { driveOutputsSafe } from '../../../services/runtime/safe-state.js'
import { type Hardware, NoDevice } from '../../../services/transport/hardware.js'
import { connectBench } from '../../../simulation/connect-bench.js'
import { createInProcessHardware } from '../../../simulation/in-process-hardware.js'
import { type BenchDevice, startBench } from '../../../simulation/start-bench.js'
import { listenAt } from '../../../simulation/unix-sockets.js'
import { VirtualBench } from '../../../simulation/virtual-bench.js'
import { readOutputs } from '../../support/bench-outputs.js'
import { eventually } from '../../support/eventually.js'
import { silentLogger } from '../../support/silent-logger.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** Write 0x4F00: SET_SWITCH, 0; and its echo. */
const SET_SWITCH_0 = '01104f0000020400e40000c3ab'
const ECHO = Buffer.from('01104f000002571c', 'hex')

/** A potentiostat that knows one frame: it opens its switch, and echoes once it was told `deafFor` times. */
const potentiostat =
  (serialNumber: string, deafFor: number): BenchDevice =>
  async ({ addPort, onOutput }) => {
    onOutput('cell_switches', serialNumber, true)
    let told = 0
    const name = `usb-Acceleration_Consortium_Potentiostat_${serialNumber}-if00`
    const path = await addPort({ name, usb: POTENTIOSTAT_USB, serialNumber })
    const stop = await listenAt(path, (socket) => {
      // The tail of a block that the crashed program no longer read.
      socket.write(Buffer.from('0103f400aabb', 'hex'))
      socket.on('data', (bytes) => {
        if (bytes.toString('hex') !== SET_SWITCH_0 || told++ < deafFor) return
        onOutput('cell_switches', serialNumber, false)
        socket.write(ECHO)
      })
    })
    return { stop }
  }

async function benchWith(devices: readonly BenchDevice[], hat = '1.2') {
  const directory = temporaryDirectory()
  const bench = await startBench({ directory, clock: createClock(), seed: 1, logger: silentLogger, devices, hat })
  endings.push(() => bench.stop())
  const hardware = await connectBench(directory)
  endings.push(() => hardware.close())
  const outputs = () => readOutputs(directory)
  return { hardware, outputs }
}

test('everything that was on is off', async () => {
  const { hardware, outputs } = await benchWith([potentiostat('A1', 0), potentiostat('B2', 2)])
  for (const pin of [17, 18, 12]) await (await hardware.pwm.open(pin, 200)).setDutyCycle(80)
  await hardware.i2c.write(0x2c, Uint8Array.of(0, 204))
  await hardware.i2c.write(0x2c, Uint8Array.of(3, 255))
  const on = { pwm: { 12: 80 }, leds: { D: 100 }, cell_switches: { B2: true } }
  await eventually(async () => expect(await outputs()).toMatchObject(on))

  const report = await driveOutputsSafe(hardware, instruments)

  expect(report).toMatchObject({ safe: true, failed: [] })
  expect(report.done).toHaveLength(5)
  await eventually(async () => {
    const { pwm, leds, cell_switches } = await outputs()
    expect(new Set(Object.values(pwm))).toEqual(new Set([0]))
    expect(leds).toEqual({ A: 0, B: 0, C: 0, D: 0 })
    expect(cell_switches).toEqual({ A1: false, B2: false })
  })
})

test('the LED driver of HAT 1.0 is powered down', async () => {
  const { hardware, outputs } = await benchWith([], '1.0')
  await hardware.i2c.write(0x49, Uint8Array.of(0x01, 0x00, 0xfe))
  await hardware.i2c.write(0x49, Uint8Array.of(0x08, 0x0f, 0xf0))
  await eventually(async () => expect(await outputs()).toMatchObject({ leds: { A: 100 } }))
  expect(await driveOutputsSafe(hardware, instruments)).toMatchObject({ safe: true })
  await eventually(async () => expect(await outputs()).toMatchObject({ leds: { A: 0 } }))
})

test('what cannot be switched off is named, and the rest is off all the same', async () => {
  const { hardware, outputs } = await benchWith([potentiostat('DEAF', 1000)])
  await (await hardware.pwm.open(17, 200)).setDutyCycle(80)
  await eventually(async () => expect(await outputs()).toMatchObject({ pwm: { 17: 80 } }))
  const broken: Hardware = {
    ...hardware,
    i2c: { ...hardware.i2c, write: () => Promise.reject(new Error('bus stuck')) },
  }

  const report = await driveOutputsSafe(broken, instruments)

  expect(report.safe).toBe(false)
  expect(report.failed.map(({ step }) => step.replace(/\S*Potentiostat_/, ''))).toEqual([
    'leds',
    'cell switch DEAF-if00',
  ])
  await eventually(async () => expect(await outputs()).toMatchObject({ pwm: { 17: 0 } }))
})

test('a bus that hangs does not keep it from ending', async () => {
  const bench = new VirtualBench({ clock: createClock(), seed: 1 })
  const hardware = createInProcessHardware(bench)
  bench.setPwm(18, 50)
  const hanging: Hardware = { ...hardware, i2c: { ...hardware.i2c, write: () => new Promise(() => undefined) } }
  const report = await driveOutputsSafe(hanging, instruments)
  expect(report.failed).toEqual([{ step: 'leds', reason: 'Not done within 2000 ms.' }])
  expect(bench.outputs.pwm['18']).toBe(0)
})

const onePercent = (channel: number): Uint8Array => Uint8Array.of(channel, 3)

/** A bench whose four LEDs are on and whose bus refuses writes as told. */
function refusing(refuses: (channel: number, attempt: number) => boolean) {
  const bench = new VirtualBench({ clock: createClock(), seed: 1 })
  const hardware = createInProcessHardware(bench)
  const attempts = new Map<number, number>()
  const i2c: Hardware['i2c'] = {
    ...hardware.i2c,
    async write(address, bytes) {
      const channel = bytes[0] ?? 0
      const attempt = (attempts.get(channel) ?? 0) + 1
      attempts.set(channel, attempt)
      if (address === 0x2c && refuses(channel, attempt)) throw new NoDevice('Nothing answers.')
      await hardware.i2c.write(address, bytes)
    },
  }
  for (const channel of [0, 1, 2, 3]) bench.transact(0x2c, onePercent(channel), 0)
  expect(Object.values(bench.outputs.leds).every((percent) => percent > 0)).toBe(true)
  return { bench, hardware: { ...hardware, i2c } }
}

test.each(['1.2', null])(
  'one LED that cannot be switched off leaves the others dark and is told: HAT %s',
  async (hatVersion) => {
    const { bench, hardware } = refusing((channel) => channel === 0)
    const report = await driveOutputsSafe({ ...hardware, hatVersion }, instruments)
    expect(report).toMatchObject({ safe: false, failed: [{ step: 'leds' }] })
    expect(bench.outputs.leds).toMatchObject({ B: 0, C: 0, D: 0 })
  },
)

test('an LED that answers only the second try is switched off', async () => {
  const { bench, hardware } = refusing((_, attempt) => attempt === 1)
  expect(await driveOutputsSafe(hardware, instruments)).toMatchObject({ safe: true })
  expect(bench.outputs.leds).toEqual({ A: 0, B: 0, C: 0, D: 0 })
})
