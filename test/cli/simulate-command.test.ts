import { afterEach, expect, test } from 'vitest'
import { benchDirectory } from '../../cli/open-hardware.js'
import { simulateCommand } from '../../cli/simulate-command.js'
import { createClock } from '../../clock.js'
import { readConfig } from '../../config.js'
import { connectBench } from '../../simulation/connect-bench.js'
import { startBench } from '../../simulation/start-bench.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const HEATER_BOARD = 0x4f
const CO_PROCESSOR = 0x2c
const ID_REGISTER = Uint8Array.of(0x0f)

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

/** The bench of a unit, its hardware as the services see it, and the command line beside it. */
async function givenUnit() {
  const config = readConfig({ BENCHLOG_HOME: temporaryDirectory() })
  const directory = benchDirectory(config)
  const bench = await startBench({ directory, clock: createClock(), seed: 1, logger: silentLogger })
  endings.push(() => bench.stop())
  const hardware = await connectBench(directory)
  endings.push(() => hardware.close())
  const simulate = async (line: string): Promise<string> => {
    const printed: string[] = []
    const print = (text: string): void => void printed.push(text)
    await simulateCommand.run({ outputs: config, config, options: {}, positionals: line.split(' '), print })
    return printed.join('\n')
  }
  return { simulate, i2c: hardware.i2c }
}

const NACK = { code: 'hardware.no_device' }

test('a sensor that is unplugged acknowledges nothing until it is mended', async () => {
  const { simulate, i2c } = await givenUnit()
  await simulate('fault set unplugged heater_board')
  expect(await i2c.isPresent(HEATER_BOARD)).toBe(false)
  await expect(i2c.writeRead(HEATER_BOARD, ID_REGISTER, 2)).rejects.toMatchObject(NACK)
  expect(await i2c.isPresent(CO_PROCESSOR)).toBe(true)
  expect(await simulate('fault list')).toBe('unplugged heater_board')
  await simulate('fault clear unplugged heater_board')
  expect(await i2c.writeRead(HEATER_BOARD, ID_REGISTER, 2)).toEqual(Uint8Array.of(0x75, 0))
  expect(await simulate('fault list')).toBe('')
})

test('a transaction can fail in its middle: the chip is there, and half of what is written arrives', async () => {
  const { simulate, i2c } = await givenUnit()
  await i2c.write(CO_PROCESSOR, Uint8Array.of(0, 204))
  await simulate('fault set i2c_error leds')
  expect(await i2c.isPresent(CO_PROCESSOR)).toBe(true)
  await expect(i2c.write(CO_PROCESSOR, Uint8Array.of(8, 0))).rejects.toMatchObject(NACK)
  await simulate('fault clear')
  // The pointer has arrived, the level has not.
  expect(await i2c.writeRead(CO_PROCESSOR, new Uint8Array(), 2)).toEqual(Uint8Array.of(5, 0))
})

test('a chip without a name is meant by its address', async () => {
  const { simulate, i2c } = await givenUnit()
  await simulate('fault set unplugged 0x2c')
  expect(await i2c.isPresent(CO_PROCESSOR)).toBe(false)
  expect(await i2c.isPresent(HEATER_BOARD)).toBe(true)
})

test('what is so in the vial is printed', async () => {
  const { simulate } = await givenUnit()
  const truth = JSON.parse(await simulate('vial')) as Record<string, unknown>
  expect(truth).toMatchObject({ alt_media_fraction: 0, rpm: 0, spilled_ml: 0 })
  expect(truth['volume_ml']).toBeCloseTo(15, 3)
  expect(truth['od']).toBeCloseTo(0.2, 3)
})

test('somebody who calibrates puts in standards, and lets the pumps fill a measuring glass', async () => {
  const { simulate } = await givenUnit()
  const truth = async () => JSON.parse(await simulate('vial')) as Readonly<Record<string, number>>
  await simulate('vial standard 0.75')
  expect(await truth()).toMatchObject({ viable_od: 0, glass_ml: 0 })
  expect((await truth())['od']).toBeCloseTo(0.75, 4)
  await simulate('vial glass')
  await simulate('vial reconnect')
  expect((await truth())['volume_ml']).toBeCloseTo(15, 3)
})

test.each([
  ['vial standard', /The standard has OD ''; it must be a number from 0 to 100/],
  ['vial standard -1', /The standard has OD '-1'/],
  ['vial shake', /simulate vial knows 'standard', 'glass' and 'reconnect', not 'shake'/],
  ['fault set flood', /fault is 'flood'; it must be one of unplugged, i2c_error, stuck/],
  ['fault set stuck leds', /fault stuck is at 'leds'; it must be one of pd1, pd2/],
  ['fault set led_burnt_out', /fault led_burnt_out is at ''; it must be one of A, B, C, D/],
  ['fault set stirrer_stalled A', /stirrer_stalled takes no place, not 'A'/],
  ['fault set unplugged 0x99', /or an address such as 0x4f/],
  ['fault set stuck pd1 pd2', /'pd2' is more than one place/],
  ['fault raise', /simulate fault knows 'set', 'clear' and 'list', not 'raise'/],
  ['flood', /simulate knows 'fault', 'vial', 'potentiostat', not 'flood'/],
])('%s is refused and changes nothing', async (line, message) => {
  const { simulate } = await givenUnit()
  await expect(simulate(line)).rejects.toThrow(message)
  expect(await simulate('fault list')).toBe('')
})

test('without a simulated unit there is nothing to put a fault into', async () => {
  const config = readConfig({ BENCHLOG_HOME: temporaryDirectory() })
  const positionals = ['fault', 'set', 'stirrer_stalled']
  await expect(
    simulateCommand.run({ outputs: config, config, options: {}, positionals, print: () => undefined }),
  ).rejects.toMatchObject(NACK)
})
