import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  decodeAttribute,
  decodeGpiosCell,
  dutyPercent,
  encodeGpiosCell,
  pwmTimes,
} from '../../../services/transport/sysfs-pwm.codec.js'
import { createSysfsPwm } from '../../../services/transport/sysfs-pwm.js'

describe('kernel times', () => {
  test.each([
    ['PWM-1', 200, 30, 5000000, 1500000],
    ['PWM-2', 200, 39.9, 5000000, 1995000],
    ['PWM-3', 250, 100, 4000000, 4000000],
    ['PWM-4', 250, 50, 4000000, 2000000],
    ['PWM-5', 16, 12.34, 62500000, 7712500],
    ['PWM-6', 60, 50, 16666666, 8333333],
    ['PWM-7', 49, 50, 20408163, 10204081],
    ['PWM-8', 0.1, 50, 10000000000, 5000000000],
  ])('%s: %d Hz at %d %%', (_, hz, percent, periodNs, dutyNs) => {
    expect(pwmTimes(hz, percent)).toEqual({ periodNs, dutyNs })
    expect(dutyPercent(periodNs, dutyNs)).toBeCloseTo(percent, 5)
  })
})

describe('a tree in the shape of sysfs', () => {
  let root: string
  /** A chip with channel 0 already exported, as another process leaves it. */
  const chip = async (name: string, device: { pin: number } | { controller: string }, exported: readonly number[]) => {
    const path = join(root, name)
    await mkdir(path, { recursive: true })
    await writeFile(join(path, 'export'), '')
    if ('pin' in device) {
      await mkdir(join(path, 'device', 'of_node'), { recursive: true })
      await writeFile(join(path, 'device', 'of_node', 'gpios'), encodeGpiosCell(device.pin))
    } else {
      const target = join(root, 'devices', device.controller)
      await mkdir(target, { recursive: true })
      await symlink(target, join(path, 'device'))
    }
    for (const number of exported) {
      const channel = join(path, `pwm${number}`)
      await mkdir(channel)
      await writeFile(join(channel, 'period'), '4000000\n')
      await writeFile(join(channel, 'duty_cycle'), '4000000\n')
      await writeFile(join(channel, 'enable'), '1\n')
    }
  }
  const channelFiles = async (path: string): Promise<string[]> =>
    Promise.all(
      ['period', 'duty_cycle', 'enable'].map(async (file) =>
        String(decodeAttribute(await readFile(join(root, path, file), 'utf8'))),
      ),
    )

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'pwm-'))
  })
  afterEach(() => rm(root, { recursive: true }))

  test('pins 12 and 13 are found by their controller, others by the pin of their chip', async () => {
    await chip('pwmchip0', { controller: 'fe20c000.pwm' }, [0, 1])
    await chip('pwmchip3', { pin: 17 }, [0])
    const pwm = createSysfsPwm(root)
    await (await pwm.open(13, 250)).setDutyCycle(50)
    await (await pwm.open(17, 200)).setDutyCycle(30)
    expect(await channelFiles('pwmchip0/pwm1')).toEqual(['4000000', '2000000', '1'])
    expect(await channelFiles('pwmchip3/pwm0')).toEqual(['5000000', '1500000', '1'])
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['4000000', '4000000', '1'])
  })

  test('opening a channel that was left running switches it off', async () => {
    await chip('pwmchip0', { pin: 17 }, [0])
    await createSysfsPwm(root).open(17, 200)
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['5000000', '0', '0'])
  })

  test('closing an output switches it off and ends its use', async () => {
    await chip('pwmchip0', { pin: 17 }, [0])
    const output = await createSysfsPwm(root).open(17, 200)
    await output.setDutyCycle(100)
    await output.close()
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['5000000', '0', '0'])
    await expect(output.setDutyCycle(10)).rejects.toMatchObject({ code: 'hardware.no_pwm' })
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['5000000', '0', '0'])
  })

  test('all off reaches what others exported and leaves foreign chips alone', async () => {
    await chip('pwmchip0', { controller: '1f00098000.pwm' }, [0])
    await chip('pwmchip1', { pin: 18 }, [0])
    await chip('pwmchip2', { controller: '1f0009c000.pwm' }, [0])
    await createSysfsPwm(root).allOff()
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['4000000', '0', '0'])
    expect(await channelFiles('pwmchip1/pwm0')).toEqual(['4000000', '0', '0'])
    expect(await channelFiles('pwmchip2/pwm0')).toEqual(['4000000', '4000000', '1'])
  })

  test('an output whose duty cycle cannot be written is disabled all the same, and it is told', async () => {
    await chip('pwmchip0', { pin: 17 }, [0])
    const duty = join(root, 'pwmchip0', 'pwm0', 'duty_cycle')
    await rm(duty)
    await mkdir(duty)
    await expect(createSysfsPwm(root).allOff()).rejects.toThrow()
    expect((await readFile(join(root, 'pwmchip0', 'pwm0', 'enable'), 'utf8')).trim()).toBe('0')
  })

  test('all off has nothing to do without any PWM', async () => {
    await expect(createSysfsPwm(join(root, 'absent')).allOff()).resolves.toBeUndefined()
  })

  test('a pin without PWM is refused and the boot setting named', async () => {
    await expect(createSysfsPwm(root).open(16, 250)).rejects.toMatchObject({
      code: 'hardware.no_pwm',
      remediation: expect.stringContaining('pwm-gpio,gpio=16'),
    })
  })

  test.each([-1, 100.1, Number.NaN])('a duty cycle of %d %% changes nothing', async (percent) => {
    await chip('pwmchip0', { pin: 17 }, [0])
    const output = await createSysfsPwm(root).open(17, 200)
    await output.setDutyCycle(20)
    await expect(output.setDutyCycle(percent)).rejects.toMatchObject({ code: 'input.invalid' })
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['5000000', '1000000', '1'])
  })

  test.each([
    [17, 0.05],
    [17, 10_001],
    [13, 100_001],
    [17, Number.NaN],
  ])('GPIO %d cannot have %d Hz', async (pin, hz) => {
    await chip('pwmchip0', { pin: 17 }, [0])
    await chip('pwmchip1', { controller: 'fe20c000.pwm' }, [0, 1])
    await expect(createSysfsPwm(root).open(pin, hz)).rejects.toMatchObject({ code: 'input.invalid' })
    await expect(createSysfsPwm(root).open(pin, 10_000)).resolves.toBeDefined()
  })

  test('a pin has one user until it is closed, in this process', async () => {
    await chip('pwmchip0', { pin: 17 }, [0])
    const first = await createSysfsPwm(root).open(17, 200)
    await first.setDutyCycle(30)
    await expect(createSysfsPwm(root).open(17, 50)).rejects.toMatchObject({ code: 'hardware.pin_in_use' })
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['5000000', '1500000', '1'])
    await first.close()
    await expect(createSysfsPwm(root).open(17, 50)).resolves.toBeDefined()
  })

  test('a pin is free again when the process that had it was killed', async () => {
    await chip('pwmchip0', { pin: 17 }, [0])
    const holder = fork(new URL('./pwm-holder.js', import.meta.url), [root, '17'], { stdio: 'ignore' })
    await once(holder, 'message')
    await expect(createSysfsPwm(root).open(17, 50)).rejects.toThrow(`GPIO 17 is in use by process ${holder.pid}.`)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    const output = await createSysfsPwm(root).open(17, 200)
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['5000000', '0', '0'])
    await output.close()
  })

  test('a pin that its user could not switch off is kept from others until it is off', async () => {
    await chip('pwmchip0', { pin: 17 }, [0])
    const pwm = createSysfsPwm(root)
    const left = await pwm.open(17, 200)
    await left.setDutyCycle(30)
    const duty = join(root, 'pwmchip0', 'pwm0', 'duty_cycle')
    await rm(duty)
    await mkdir(duty)
    await expect(left.close()).rejects.toThrow()
    await expect(pwm.open(17, 200)).rejects.toMatchObject({ code: 'hardware.pin_in_use' })
    await rm(duty, { recursive: true })
    await writeFile(duty, '1500000\n')
    await pwm.off(17)
    await expect(pwm.open(17, 200)).resolves.toBeDefined()
  })

  test('what is driven is listed by pin, and one pin can be switched off even if it is in use', async () => {
    await chip('pwmchip0', { controller: 'fe20c000.pwm' }, [0, 1])
    await chip('pwmchip1', { pin: 17 }, [])
    await chip('pwmchip2', { controller: '1f0009c000.pwm' }, [0])
    const pwm = createSysfsPwm(root)
    await (await pwm.open(13, 250)).setDutyCycle(40)
    expect(await pwm.list()).toEqual([
      { pin: 12, chip: 'fe20c000.pwm', dutyCycle: 100 },
      { pin: 13, chip: 'fe20c000.pwm', dutyCycle: 40 },
      { pin: 17, chip: 'device', dutyCycle: 0 },
    ])
    await createSysfsPwm(root).off(13)
    expect(await channelFiles('pwmchip0/pwm1')).toEqual(['4000000', '0', '0'])
    expect(await channelFiles('pwmchip0/pwm0')).toEqual(['4000000', '4000000', '1'])
  })
})

test('the pin of a chip stands in the second cell', () => {
  expect(decodeGpiosCell(Buffer.from('000000070000001100000000', 'hex'))).toBe(17)
  expect(decodeGpiosCell(Buffer.alloc(4))).toBeNull()
})
