import { describe, expect, test } from 'vitest'
import { StateBit, usbSerialNumber } from '../../../services/potentiostat/registers.js'
import { encodeRequest, readRequest } from '../../../services/transport/modbus-rtu.codec.js'
import {
  decodeInt32,
  decodeUint32,
  encodeFloats,
  encodeInt32,
} from '../../../services/transport/register-values.codec.js'
import { cells } from '../../../simulation/potentiostat/cell-models.js'
import { serialOfIndex } from '../../../simulation/potentiostat/serial-numbers.js'
import { GivenDevice } from './given-device.js'

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hex = (frame: Uint8Array | null): string =>
  frame === null
    ? 'silence'
    : Buffer.from(frame)
        .toString('hex')
        .toUpperCase()
        .replace(/..(?=.)/g, '$& ')

describe('frames', () => {
  test.each([
    ['a command is echoed', '01 10 4F 00 00 02 04 00 E4 00 01 02 6B', '01 10 4F 00 00 02 57 1C'],
    ['PID_START is echoed', '01 10 4F 00 00 03 06 00 E6 12 6F 3A 83 EC E7', '01 10 4F 00 00 03 96 DC'],
    ['points are acknowledged', '01 10 02 00 00 04 08 00 00 3F 00 00 00 BE 80 C4 37', '01 10 02 00 00 04 C0 72'],
    ['too few pairs: busy', '01 03 01 00 00 78 44 14', '01 83 06 C1 32'],
    ['wrong CRC: illegal value', '01 10 4F 00 00 02 04 00 E4 00 01 02 6C', '01 90 03 0C 01'],
    ['write single register: illegal function', '01 06 4F 00 00 01 00 00', '01 86 01 83 A0'],
    ['a truncated write: illegal value', '01 10 4F 00 00 02', '01 90 03 0C 01'],
    ['broadcast: silence', '00 10 4F 00 00 02 04 00 E4 00 01 02 6B', 'silence'],
    ['another address: silence', '02 03 03 00 00 18 45 84', 'silence'],
  ])('%s', (_, request, reply) => {
    expect(hex(new GivenDevice().device.handle(bytes(request)))).toBe(reply)
  })

  test('address 255 is answered under its own name', () => {
    const reply = new GivenDevice().device.handle(encodeRequest(readRequest(255, 0x4300, 8)))
    expect(reply?.[0]).toBe(255)
  })

  test('input registers are the holding registers', () => {
    const given = new GivenDevice()
    const request = { kind: 'read', unit: 1, functionCode: 0x04, read: { address: 0x4300, count: 6 } } as const
    expect(given.ask(request)).toEqual({ kind: 'registers', registers: given.read(0x4300, 6) })
  })

  test('read/write writes first, then reads', () => {
    const given = new GivenDevice()
    const reply = given.ask({
      kind: 'readWrite',
      unit: 1,
      functionCode: 0x17,
      read: { address: 0x0316, count: 2 },
      write: { address: 0x4f00, registers: Uint16Array.of(0xe4, 1) },
    })
    if (reply?.kind !== 'registers') throw new Error('no registers')
    expect(decodeUint32(reply.registers, 0)).toBe(StateBit.cellSwitch)
  })

  test('a read of 126 registers passes the length check and leaves one byte', () => {
    const given = new GivenDevice()
    given.command('fifoStart', 0)
    given.steps(40)
    expect(given.device.handle(bytes('01 03 01 00 00 7E C4 16'))).toHaveLength(1)
  })
})

describe('registers', () => {
  test.each([
    ['an unknown group', 0x6000, 2],
    ['a group declared but not implemented', 0xf100, 1],
    ['the write-only command group', 0x4f00, 2],
    ['past the end of a group', 0x0500, 7],
    ['past the end from an offset', 0x4006, 3],
  ])('reading %s is an illegal address', (_, address, count) => {
    expect(new GivenDevice().read(address, count)).toBe('exception 2')
  })

  test.each([
    ['the pairs', 0x0100],
    ['the live values', 0x0300],
    ['the chip id', 0x4300],
    ['an unknown group', 0x7000],
  ])('writing %s is an illegal address', (_, address) => {
    expect(new GivenDevice().write(address, Uint16Array.of(1, 2))).toBe('exception 2')
  })

  test('live values of an idle device', () => {
    const given = new GivenDevice({ temperatureC: 24.5, humidityPercent: 41 })
    given.run(0.5)
    const { currentA, potentialV, ...rest } = given.live()
    expect(Math.abs(currentA)).toBeLessThan(1e-8)
    expect(Math.abs(potentialV)).toBeLessThan(1e-3)
    expect(rest).toEqual({
      potentialDacV: Math.fround(1.65),
      tiaReferenceV: 0,
      midSupplyV: Math.fround(1.65),
      temperatureC: 24.5,
      humidityPercent: 41,
      tiaOhm: Math.fround(99009.90099),
      adcQueued: 0,
      dacQueued: 0,
      sampleTicks: 0,
      state: 0,
    })
  })

  test('the analog group shows the pin of the amplifier and the potential', () => {
    const given = new GivenDevice()
    given.write(0x0500, encodeFloats([0.3, 0, 1.65]))
    given.command('setTiaGain', 0)
    given.command('setSwitch', 1)
    given.run(0.3)
    const [pinV = 0, potentialV = 0, supplyV] = given.readFloats(0x0400, 5)
    expect(pinV).toBeCloseTo(1.65 + (0.3e-3 * 999.9) / 3, 3)
    expect(potentialV).toBeCloseTo(0.3, 2)
    expect(supplyV).toBeCloseTo(3.3, 3)
  })

  test('writing DAC set values applies all three, also those never read', () => {
    const given = new GivenDevice()
    expect(given.readFloats(0x0500, 3)).toEqual([0, 0, Math.fround(1.65)])
    expect(given.write(0x0500, encodeFloats([0.1]))).toBe('ok')
    expect(given.live()).toMatchObject({
      potentialDacV: Math.fround(1.65 - Math.fround(0.1) / 3),
      midSupplyV: Math.fround(1.65),
    })
    const unread = new GivenDevice()
    unread.write(0x0500, encodeFloats([0.1]))
    expect(unread.live().midSupplyV).toBe(0)
  })

  test('a set potential beyond the range is clamped at the cell, not in the registers', () => {
    const given = new GivenDevice()
    given.command('setSwitch', 1)
    given.write(0x0500, encodeFloats([9, 0, 1.65]))
    given.run(0.3)
    expect(given.live().potentialDacV).toBeCloseTo(1.65 - 3, 5)
    expect(given.live().potentialV).toBeCloseTo(4.95, 2)
  })

  test('PID constants, DAC scales and timing have their defaults and keep what is written', () => {
    const given = new GivenDevice()
    const defaults = [100, 0.01, 0.000025, 1e-11, -1e-11, 10, -10, 0.05, -0.05, 5, -5]
    expect(given.readFloats(0x3200, 11)).toEqual(defaults.map(Math.fround))
    expect(given.readFloats(0x3100, 9)).toEqual([-1 / 3, 1.65, 0, 1, 0, 0, 1, 0, 1.65].map(Math.fround))
    expect(given.write(0x4006, encodeInt32(1000))).toBe('ok')
    const timing = given.read(0x4000, 8) as Uint16Array
    expect([0, 2, 4, 6].map((at) => decodeUint32(timing, at))).toEqual([200, 50, 10_000, 1000])
    given.write(0x3200, encodeFloats([50]))
    expect(given.command('loadDefaults', 0)).toBe('ok')
    expect(given.readFloats(0x3200, 1)).toEqual([100])
  })

  test('a shorter running average follows faster', () => {
    const settled = (samples: number): number => {
      const given = new GivenDevice()
      given.command('setTiaGain', 0)
      given.write(0x3004, encodeFloats([samples]))
      given.write(0x0500, encodeFloats([0.5, 0, 1.65]))
      given.command('setSwitch', 1)
      given.steps(50)
      return given.live().currentA
    }
    // A hundred conversions are one time constant of the average of 100 and ten of the average of 10.
    expect(settled(100)).toBeCloseTo(0.5e-3 * (1 - 1 / Math.E), 4)
    expect(settled(10)).toBeCloseTo(0.5e-3, 5)
  })

  test.each([0, 1, 31])('the chip id agrees with the USB serial number of device %i', (index) => {
    const serial = serialOfIndex(index)
    const words = new GivenDevice({ serial }).read(0x4300, 8) as Uint16Array
    const [u0, u1, u2, zero] = [0, 2, 4, 6].map((at) => decodeUint32(words, at))
    expect(usbSerialNumber([u0 ?? 0, u1 ?? 0, u2 ?? 0])).toBe(serial)
    expect(serial).toMatch(/^[0-9A-F]{12}$/)
    expect(zero).toBe(0)
  })

  test('serial numbers of 64 devices differ', () => {
    expect(new Set(Array.from({ length: 64 }, (_, index) => serialOfIndex(index))).size).toBe(64)
  })

  test('the calendar starts in 2000 at every boot and can be set', () => {
    const given = new GivenDevice()
    const fields = (): number[] => {
      const registers = given.read(0x4500, 18) as Uint16Array
      return Array.from({ length: 9 }, (_, i) => decodeInt32(registers, 2 * i))
    }
    given.run(2.5)
    expect(fields()).toEqual([2, 0, 0, 1, 0, 100, 6, 0, 0])
    given.write(0x4500, Uint16Array.from([58, 59, 23, 31, 11, 125, 0, 0, 0].flatMap((v) => [...encodeInt32(v)])))
    given.run(3)
    expect(fields()).toEqual([1, 0, 0, 1, 0, 126, 4, 0, 0])
  })

  test('a saved configuration counts one flash write, until the next reset', () => {
    const given = new GivenDevice()
    const writes = (): number => decodeUint32(given.read(0x4400, 6) as Uint16Array, 4)
    expect(writes()).toBe(1)
    given.command('saveConfig')
    expect(writes()).toBe(2)
    given.command('reset', 1)
    given.run(0.5)
    expect(writes()).toBe(1)
  })

  test('a wrong password is refused, but the access level written with it stays: the device is locked until reset', () => {
    const given = new GivenDevice()
    expect(given.write(0x5000, new Uint16Array(14))).toBe('exception 3')
    expect(given.read(0x0300, 24)).toBe('exception 2')
    expect(given.command('reset', 1)).toBe('exception 2')
  })

  test('the master password allows reading values and configuration, and writing configuration', () => {
    const given = new GivenDevice()
    const password = new Uint8Array(28)
    password.set(Buffer.from('1357BKDR', 'latin1'), 12)
    expect(given.write(0x5000, new Uint16Array(password.buffer))).toBe('ok')
    expect(given.read(0x0300, 2)).toHaveLength(2)
    expect(given.write(0x3200, encodeFloats([50]))).toBe('ok')
    expect(given.points(0.1)).toBe('exception 2')
  })

  test('the defective password check refuses everything', () => {
    expect(new GivenDevice().write(0x5100, Uint16Array.of(0, 0))).toBe('exception 3')
  })
})

describe('commands', () => {
  test.each([
    [0, 999.900009],
    [1, 9990.00999],
    [2, 99009.90099],
    [3, 909090.9091],
    [4, 909090.9091],
    [5, 909090.9091],
  ])('gain %i selects %f Ω', (gain, ohm) => {
    const given = new GivenDevice()
    expect(given.command('setTiaGain', gain)).toBe('ok')
    expect(given.live().tiaOhm).toBe(Math.fround(ohm))
  })

  test('a gain above 5 and an unknown command are illegal values that change nothing', () => {
    const given = new GivenDevice()
    expect(given.command('setTiaGain', 6)).toBe('exception 3')
    expect(given.write(0x4f00, Uint16Array.of(0xaa, 1))).toBe('exception 3')
    expect(given.live()).toMatchObject({ tiaOhm: Math.fround(99009.90099), state: 0 })
  })

  test('a command without its parameter reuses the one before', () => {
    const given = new GivenDevice()
    given.command('setTiaGain', 1)
    expect(given.write(0x4f00, Uint16Array.of(0xe4))).toBe('ok')
    expect(given.device.cellSwitchClosed).toBe(true)
  })

  test('PID_START with a target that is not finite does nothing', () => {
    const given = new GivenDevice()
    expect(given.startPid(Number.NaN)).toBe('ok')
    expect(given.device.running).toBe(false)
  })

  test('sensor zero takes the offsets away; a second call brings that of the current back', () => {
    const given = new GivenDevice()
    given.write(0x0500, encodeFloats([0, 0.3, 1.65]))
    given.run(0.3)
    const before = given.readFloats(0x0400, 1)[0] ?? 0
    given.command('sensorZero')
    given.run(0.3)
    expect(given.readFloats(0x0400, 1)[0]).toBeCloseTo(1.65, 3)
    given.command('sensorZero')
    given.run(0.3)
    expect(given.readFloats(0x0400, 1)[0]).toBeCloseTo(before, 3)
    expect(before).toBeCloseTo(1.55, 3)
  })

  test('a reset opens the cell switch, empties the queues and takes the port away for a while', () => {
    const given = new GivenDevice()
    given.points(0.1, 0.2)
    given.command('fifoStart', 1)
    given.command('reset', 1)
    expect(given.device.cellSwitchClosed).toBe(true)
    given.run(0.03)
    expect(given.device).toMatchObject({ attached: false, running: false, cellSwitchClosed: false })
    expect(given.read(0x0300, 2)).toBe('silence')
    given.run(0.4)
    expect(given.live()).toMatchObject({ state: 0, dacQueued: 0 })
  })

  test('reset with parameter 0 does nothing', () => {
    const given = new GivenDevice()
    given.command('setSwitch', 1)
    given.command('reset', 0)
    given.run(0.1)
    expect(given.device.cellSwitchClosed).toBe(true)
  })

  test.each(['BOOT_DFU_MODE', 'BOOT', 'B'])('%s leads into the bootloader, and back after a while', (word) => {
    const given = new GivenDevice()
    expect(Buffer.from(given.device.handle(Buffer.from(word)) ?? []).toString()).toBe('ACK:BOOT: 0xDEADBEEF\r\n')
    given.run(0.11)
    expect(given.device.attached).toBe(false)
    given.run(3.1)
    expect(given.device.attached).toBe(true)
  })

  test('more than the bootloader word leads nowhere', () => {
    expect(new GivenDevice().device.handle(Buffer.from('BOOT_DFU_MODE\n'))).toBeNull()
  })
})

describe('queues', () => {
  test('one pair per point, measured before the point is applied', () => {
    const given = new GivenDevice()
    given.command('setTiaGain', 0)
    given.write(0x3004, encodeFloats([1]))
    given.write(0x300a, encodeFloats([1]))
    given.points(0.5, -0.5, 0.25)
    given.command('fifoStart', 1)
    given.steps(4)
    const pairs = given.readFloats(0x0100, 8)
    for (const [k, potentialV] of [0, 0.5, -0.5, 0.25].entries()) {
      expect(pairs[2 * k + 1]).toBeCloseTo(potentialV, 2)
      expect(pairs[2 * k]).toBeCloseTo(potentialV / 1000, 5)
    }
  })

  test('a read takes all or nothing', () => {
    const given = new GivenDevice()
    given.command('fifoStart', 0)
    given.steps(29)
    expect(given.read(0x0100, 120)).toBe('exception 6')
    given.steps(1)
    expect(given.read(0x0100, 120)).toHaveLength(120)
    expect(given.read(0x0100, 4)).toBe('exception 6')
  })

  test('a full queue of pairs forgets the oldest', () => {
    const given = new GivenDevice()
    given.command('fifoStart', 0)
    given.steps(2048 + 50)
    expect(given.live().adcQueued).toBe(2048)
    expect(given.device.core.overflows).toBe(50)
    let pairs = 0
    while (given.read(0x0100, 124) !== 'exception 6') pairs += 31
    expect(pairs).toBe(Math.floor(2048 / 31) * 31)
  })

  test('points are accepted while stopped, and refused as a whole when they do not fit', () => {
    const given = new GivenDevice()
    for (let block = 0; block < 68; block++) expect(given.points(...new Array<number>(60).fill(0.1))).toBe('ok')
    expect(given.points(...new Array<number>(17).fill(0.1))).toBe('exception 6')
    expect(given.points(...new Array<number>(16).fill(0.1))).toBe('ok')
    expect(given.points(0.1)).toBe('exception 6')
    given.command('fifoStart', 0)
    given.steps(4096)
    expect(given.live().dacQueued).toBe(0)
    expect(given.device.core.underruns).toBe(0)
  })

  test('an empty queue of points holds the last potential and is counted', () => {
    const given = new GivenDevice()
    given.points(0.3)
    given.command('fifoStart', 1)
    given.steps(6)
    expect(given.live()).toMatchObject({ dacQueued: -1, adcQueued: 6 })
    expect(given.device.setV).toBe(Math.fround(0.3))
    expect(given.device.core.underruns).toBe(5)
  })

  test('CLEAR_FIFO and FIFO_START forget pairs, nothing forgets points', () => {
    const given = new GivenDevice()
    given.points(0.1, 0.1, 0.1)
    given.command('fifoStart', 0)
    given.steps(1)
    given.command('clearFifo', 1)
    expect(given.read(0x0100, 4)).toBe('exception 6')
    given.steps(1)
    given.command('clearFifo', 0)
    given.command('fifoStart', 0)
    expect(given.read(0x0100, 4)).toBe('exception 6')
    given.steps(1)
    expect(given.live().dacQueued).toBe(0)
  })

  test('the points block can be read back; it is not the queue', () => {
    const given = new GivenDevice()
    given.points(0.5, 0.25)
    given.command('fifoStart', 0)
    given.steps(3)
    expect(given.readFloats(0x0200, 2)).toEqual([0.5, 0.25])
  })

  test('the period settles at 358 ticks', () => {
    const given = new GivenDevice()
    given.run(2)
    given.command('fifoStart', 0)
    given.steps(1)
    expect(given.live().sampleTicks).toBeGreaterThan(10_000)
    given.run(0.5)
    expect(Math.abs(given.live().sampleTicks - 358)).toBeLessThan(70)
  })
})

describe('run and stop', () => {
  const { fifo, pid, run, stop, cellSwitch } = StateBit
  type Action = (given: GivenDevice) => void
  const fifoRun: Action = (given) => given.command('fifoStart', 1)
  const pidRun: Action = (given) => {
    given.command('setSwitch', 1)
    given.startPid(1e-5)
  }
  const points: Action = (given) => given.points(0.1, 0.1, 0.1)
  const testStop: Action = (given) => given.command('testStop', 1)
  const oneStep: Action = (given) => given.steps(1)
  const fiveSteps: Action = (given) => given.steps(5)

  test.each<[string, Action[], number]>([
    ['FIFO_START 1 runs with the cell connected', [fifoRun], run | fifo | cellSwitch],
    ['FIFO_START 0 runs with the cell open', [(given) => given.command('fifoStart', 0)], run | fifo],
    ['FIFO_START 0 opens a closed switch', [fifoRun, (given) => given.command('fifoStart', 0)], run | fifo],
    ['PID_START leaves the switch alone', [(given) => given.startPid(1e-5)], run | fifo | pid],
    ['TEST_STOP while idle is latched', [testStop, oneStep], stop],
    ['a latched STOP ends the next FIFO run at its first underrun', [testStop, points, fifoRun, fiveSteps], 0],
    ['a latched STOP lets queued points play', [testStop, points, fifoRun, oneStep], run | fifo | stop | cellSwitch],
    ['a latched STOP ends the next PID run at its first step', [testStop, pidRun, oneStep], 0],
    ['TEST_STOP lets a FIFO run play on', [points, fifoRun, testStop, oneStep], run | fifo | stop | cellSwitch],
    ['then ends it with the cell open', [points, fifoRun, testStop, fiveSteps], 0],
    [
      'PID_START takes over a FIFO run',
      [fifoRun, (given) => given.startPid(1e-5), oneStep],
      run | fifo | pid | cellSwitch,
    ],
    ['FIFO_START does not end PID', [pidRun, fifoRun, oneStep], run | fifo | pid | cellSwitch],
    ['TEST_STOP ends PID at the next step', [pidRun, oneStep, testStop, oneStep], 0],
    [
      'SET_SWITCH 0 opens the cell and the run goes on',
      [fifoRun, (given) => given.command('setSwitch', 0)],
      run | fifo,
    ],
    ['SET_SWITCH 1 closes the cell without a run', [(given) => given.command('setSwitch', 1)], cellSwitch],
  ])('%s', (_, actions, state) => {
    const given = new GivenDevice()
    for (const action of actions) action(given)
    expect(given.live().state).toBe(state)
  })

  test('a stop leaves the potential where it is', () => {
    const given = new GivenDevice()
    for (const action of [points, fifoRun, testStop, fiveSteps]) action(given)
    expect(given.device.setV).toBe(Math.fround(0.1))
  })

  test('PID freezes the points and pushes no pairs, unless the firmware does', () => {
    const pairs = (pidPushesPairs: boolean): [number, number] => {
      const given = new GivenDevice({ pidPushesPairs })
      points(given)
      pidRun(given)
      fiveSteps(given)
      return [given.device.core.adcFifo.length, given.device.core.dacFifo.length]
    }
    expect(pairs(false)).toEqual([0, 3])
    expect(pairs(true)).toEqual([5, 3])
  })

  test.each([1e-4, -2e-5])('PID brings a 1 kΩ cell to %f A and holds it', (targetA) => {
    const given = new GivenDevice()
    given.command('setTiaGain', 1)
    given.command('setSwitch', 1)
    given.startPid(targetA)
    given.run(3)
    expect(Math.abs(given.live().currentA - targetA)).toBeLessThan(5e-6)
    const [target, , , , outputV = 0] = given.readFloats(0x0600, 7)
    expect(target).toBe(Math.fround(targetA))
    expect(outputV).toBeCloseTo(targetA * 1000, 2)
  })
})

describe('measuring', () => {
  test('1 kΩ at +0.5 V reads +0.5 mA and +0.5 V', () => {
    const given = new GivenDevice()
    given.command('setTiaGain', 0)
    given.points(0.5)
    given.command('fifoStart', 1)
    given.run(0.5)
    expect(given.live().currentA).toBeCloseTo(0.5e-3, 5)
    expect(given.live().potentialV).toBeCloseTo(0.5, 2)
  })

  test('current beyond the range sticks at full scale', () => {
    const given = new GivenDevice()
    given.command('setTiaGain', 2)
    given.points(0.5)
    given.command('fifoStart', 1)
    given.run(0.5)
    expect(given.live().currentA).toBeCloseTo(4.95 / 99009.90099, 9)
  })

  test('potentials come in steps of the DAC', () => {
    const given = new GivenDevice()
    given.points(0.001)
    given.command('fifoStart', 1)
    given.run(0.5)
    expect(Math.abs(given.live().potentialV - 0.0012)).toBeLessThan(2e-4)
  })

  test('the running average leaves a fourteenth of the noise', () => {
    const given = new GivenDevice()
    given.run(0.5)
    const values = Array.from({ length: 400 }, () => {
      given.steps(20)
      return given.live().potentialV
    })
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const rms = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    expect(rms).toBeGreaterThan(0.5 * 450e-6 * 0.071)
    expect(rms).toBeLessThan(1.5 * 450e-6 * 0.071)
  })

  test('the default cell rests at 0.22 V with the switch open', () => {
    const given = new GivenDevice({ cell: cells.randles })
    given.command('fifoStart', 0)
    given.run(0.3)
    expect(given.live().potentialV).toBeCloseTo(0.22, 3)
    expect(Math.abs(given.live().currentA)).toBeLessThan(1e-8)
  })

  test('the same seed gives the same readings, another seed others', () => {
    const readings = (seed: number): number[] => {
      const given = new GivenDevice({ seed })
      given.command('fifoStart', 0)
      given.steps(30)
      return given.readFloats(0x0100, 60)
    }
    expect(readings(3)).toEqual(readings(3))
    expect(readings(3)).not.toEqual(readings(4))
  })

  test('a voltammogram of the default cell at 0.1 V/s through the queues: two peaks around 0.22 V, everything off afterwards', () => {
    const given = new GivenDevice({ cell: cells.randles })
    const perSweep = Math.trunc(0.65 / 0.1 / 0.00036)
    const wave = Array.from(
      { length: 2 * perSweep },
      (_, k) => -0.1 + (0.65 * (k < perSweep ? k : 2 * perSweep - k)) / perSweep,
    )
    given.command('setTiaGain', 1)
    given.write(0x0500, encodeFloats([-0.1, 0, 1.65]))
    let written = 0
    const refill = (): void => {
      while (written < wave.length && given.device.core.dacFifo.room >= 60) {
        given.points(...wave.slice(written, written + 60))
        written += 60
      }
    }
    refill()
    given.command('fifoStart', 1)
    const pairs: [number, number][] = []
    while (pairs.length < wave.length) {
      given.steps(30)
      refill()
      const block = given.readFloats(0x0100, 60)
      for (let i = 0; i < 60; i += 2) pairs.push([block[i] ?? 0, block[i + 1] ?? 0])
    }
    expect(given.device.core.underruns).toBeLessThan(60)
    given.command('testStop', 1)
    given.steps(2)
    expect(given.live()).toMatchObject({ state: 0, dacQueued: -1 })

    const settled = pairs.slice(500)
    const anodic = settled.reduce((best, pair) => (pair[0] > best[0] ? pair : best))
    const cathodic = settled.reduce((best, pair) => (pair[0] < best[0] ? pair : best))
    expect(anodic[1] - cathodic[1]).toBeGreaterThan(0.08)
    expect(anodic[1] - cathodic[1]).toBeLessThan(0.1)
    expect((anodic[1] + cathodic[1]) / 2).toBeCloseTo(0.22, 2)
  })
})
