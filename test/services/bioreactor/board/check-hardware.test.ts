import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createClock } from '../../../../clock.js'
import {
  checkHardware,
  checkModelFit,
  type HardwareFinding,
} from '../../../../services/bioreactor/board/check-hardware.js'
import type { Hardware } from '../../../../services/transport/hardware.js'
import { openLinuxHardware } from '../../../../services/transport/linux-hardware.js'
import { createInProcessHardware } from '../../../../simulation/in-process-hardware.js'
import { type BenchOptions, VirtualBench } from '../../../../simulation/virtual-bench.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

function rig(options: Partial<BenchOptions> = {}) {
  const clock = new FakeClock()
  const bench = new VirtualBench({ clock, seed: 1, ...options })
  const hardware = createInProcessHardware(bench)
  const dotPioreactor = temporaryDirectory()
  const check = async (given: Hardware = hardware, unitRuns = false): Promise<readonly HardwareFinding[]> => {
    const findings = checkHardware(given, { dotPioreactor, unitRuns }, clock)
    let isDone = false
    void findings.finally(() => {
      isDone = true
    })
    while (!isDone) await clock.advance(10)
    return findings
  }
  return { bench, hardware, dotPioreactor, check }
}

const parts = (findings: readonly HardwareFinding[], status: HardwareFinding['status']): readonly string[] =>
  findings.filter((finding) => finding.status === status).map(({ part }) => part)
const finding = (findings: readonly HardwareFinding[], part: string): HardwareFinding | undefined =>
  findings.find((candidate) => candidate.part === part)

const boards: [Partial<BenchOptions>, readonly string[], readonly string[]][] = [
  [{}, ['0x2C', '0x4F'], ['21', '4', '23']],
  [
    { modelName: 'pioreactor_40ml_XR', modelVersion: '1.5' },
    ['0x2C', '0x48', '0x49', '0x4A', '0x4B', '0x4F'],
    ['21', '4', '23'],
  ],
  [{ hat: '1.0', modelVersion: '1.0' }, ['0x48', '0x49', '0x4F'], ['25', '24', '23']],
]
test.each(boards)('a unit %j has all its parts', async (options, addresses, lines) => {
  const findings = await rig(options).check()
  expect(findings.map(({ part }) => part)).toEqual([
    'HAT',
    'Wiring',
    ...addresses.map((address) => `I2C ${address}`),
    'Supply',
    ...['1 (GPIO 17)', '2 (GPIO 13)', '3 (GPIO 16)', '4 (GPIO 12)', '5 (GPIO 18)'].map((pin) => `PWM ${pin}`),
    ...lines.map((line) => `GPIO ${line}`),
  ])
  expect(parts(findings, 'ok')).toEqual(findings.map(({ part }) => part))
  for (const { remediation } of findings) expect(remediation).toBeUndefined()
})

test('nothing is moved, lit or driven by looking', async () => {
  const { bench, check } = rig()
  const before = bench.outputs
  await check()
  expect(bench.outputs).toEqual(before)
})

test('a heater board that is not plugged in is named, with what to do', async () => {
  const { bench, check } = rig()
  bench.setFault({ name: 'unplugged', where: 'heater_board' })
  const findings = await check()
  expect(parts(findings, 'missing')).toEqual(['I2C 0x4F'])
  expect(finding(findings, 'I2C 0x4F')).toMatchObject({
    expected: 'thermometer TMP1075 on the heater board: temp',
    found: 'Nothing answers at I2C address 0x4f.',
    remediation: expect.stringContaining('Plug the heater board in'),
  })
})

test('a co-processor without firmware takes its supply reading along', async () => {
  const { bench, check } = rig()
  bench.setFault({ name: 'unplugged', where: 'leds' })
  const findings = await check()
  expect(parts(findings, 'missing')).toEqual(['I2C 0x2C', 'Supply'])
  expect(finding(findings, 'I2C 0x2C')?.remediation).toContain('firmware')
})

test('pins without PWM and lines that do not exist are named with the line of the boot configuration', async () => {
  const { hardware, check } = rig()
  const bare: Hardware = {
    ...hardware,
    pwm: { ...hardware.pwm, list: async () => [{ pin: 12, chip: 'fe20c000.pwm', dutyCycle: 0 }] },
    gpio: { ...hardware.gpio, consumerOf: async (pin) => (pin === 21 ? 'gpiomon' : pin === 4 ? null : '') },
  }
  const findings = await check(bare)
  expect(parts(findings, 'missing')).toEqual([
    'PWM 1 (GPIO 17)',
    'PWM 2 (GPIO 13)',
    'PWM 3 (GPIO 16)',
    'PWM 5 (GPIO 18)',
    'GPIO 4',
  ])
  expect(finding(findings, 'PWM 1 (GPIO 17)')?.remediation).toContain('dtoverlay=pwm-gpio,gpio=17')
  expect(finding(findings, 'PWM 2 (GPIO 13)')?.remediation).toContain('dtoverlay=pwm-2chan,pin=12')
  expect(finding(findings, 'GPIO 21')?.found).toBe('in use by gpiomon')
})

test('without a HAT the version that is assumed is named, and the rest is looked for', async () => {
  const { hardware, check } = rig()
  const findings = await check({ ...hardware, hatVersion: null })
  expect(parts(findings, 'missing')).toEqual(['HAT'])
  expect(finding(findings, 'HAT')?.found).toBe('no HAT identifies itself; 1.2 is assumed')
})

test('a supply that sags or is too high is a warning', async () => {
  const { hardware, check } = rig({ hat: '1.0', modelVersion: '1.0' })
  const withAux = (raw: number, underVoltage: boolean | null): Hardware => ({
    ...hardware,
    underVoltage: async () => underVoltage,
    i2c: {
      ...hardware.i2c,
      writeRead: async (address, bytes, length) =>
        address === 0x48 && bytes[0] === 0
          ? Uint8Array.of(raw >> 8, raw & 0xff)
          : hardware.i2c.writeRead(address, bytes, length),
    },
  })
  const statusAt = async (raw: number, underVoltage: boolean | null) =>
    finding(await check(withAux(raw, underVoltage)), 'Supply')
  expect(await statusAt(5360, null)).toMatchObject({ status: 'ok', found: '5.00 V' })
  expect(await statusAt(5000, null)).toMatchObject({ status: 'warning', found: '4.65 V' })
  expect(await statusAt(5000, false)).toMatchObject({ status: 'ok' })
  expect(await statusAt(20000, null)).toMatchObject({ status: 'warning', remediation: expect.stringContaining('18 V') })
  expect(finding(await check(hardware, true), 'Supply')).toMatchObject({
    status: 'ok',
    found: expect.stringContaining('not measured while the unit runs'),
  })
})

test('files that contradict each other are the finding', async () => {
  const { dotPioreactor, check } = rig()
  await mkdir(join(dotPioreactor, 'hardware', 'hats', '1.2'), { recursive: true })
  await writeFile(join(dotPioreactor, 'hardware', 'hats', '1.2', 'gpio.yaml'), 'hall_sensor_pin: 4\n')
  const findings = await check()
  expect(findings.map(({ part, status }) => [part, status])).toEqual([
    ['HAT', 'ok'],
    ['Wiring', 'missing'],
  ])
  expect(finding(findings, 'Wiring')?.found).toContain('GPIO 4 is named for pcb_button_pin and hall_sensor_pin')
})

test.skipIf(existsSync('/dev/i2c-1'))('a computer without any of it is told everything that is missing', async () => {
  const hardware = await openLinuxHardware()
  const findings = await checkHardware(hardware, { dotPioreactor: temporaryDirectory() }, createClock())
  await hardware.close()
  expect(parts(findings, 'missing')).toEqual(findings.map(({ part }) => part).filter((part) => part !== 'Wiring'))
  expect(finding(findings, 'I2C 0x2C')?.remediation).toContain('dtparam=i2c_arm=on')
  for (const { remediation } of findings.filter(({ status }) => status === 'missing')) expect(remediation).not.toBe('')
})

describe('after a change of model', () => {
  const XR = { modelName: 'pioreactor_20ml_XR', modelVersion: '1.5' }

  test('the converters that do not answer are named in ascending order', async () => {
    const { hardware, dotPioreactor } = rig()
    expect(await checkModelFit(hardware, dotPioreactor, XR)).toEqual({
      status: 'warning',
      reason: 'missing I2C devices at 0x48, 0x49, 0x4A, 0x4B for pioreactor_20ml_XR, v1.5',
    })
    expect(await checkModelFit(rig(XR).hardware, dotPioreactor, XR)).toEqual({ status: 'ok' })
  })

  test('a HAT that cannot be judged is skipped, and an unknown model refused', async () => {
    const { hardware, dotPioreactor } = rig()
    expect(await checkModelFit({ ...hardware, hatVersion: null }, dotPioreactor, XR)).toMatchObject({
      status: 'skipped',
    })
    expect(await checkModelFit({ ...hardware, hatVersion: '2.0' }, dotPioreactor, XR)).toMatchObject({
      status: 'skipped',
    })
    expect(await checkModelFit({ ...hardware, hatVersion: '1.0' }, dotPioreactor, XR)).toMatchObject({
      status: 'skipped',
      reason: expect.stringContaining('0x48 is the address of'),
    })
    await expect(checkModelFit(hardware, dotPioreactor, { modelName: 'bucket', modelVersion: '1' })).rejects.toThrow(
      "Unknown model 'bucket' with version '1'.",
    )
  })
})
