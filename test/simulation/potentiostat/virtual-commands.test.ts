import { describe, expect, test } from 'vitest'
import { StateBit } from '../../../services/potentiostat/device/registers.js'
import { encodeFloats } from '../../../services/transport/register-values.codec.js'
import { GivenDevice } from './given-device.js'

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
