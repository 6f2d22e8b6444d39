import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClock } from '../../../clock.js'
import {
  commandRegisters,
  decodeLiveValues,
  registerGroups,
  StateBit,
} from '../../../services/potentiostat/device/registers.js'
import {
  encodeRequest,
  type ModbusReply,
  type ModbusRequest,
  ReplyParser,
  readRequest,
  writeRequest,
} from '../../../services/transport/modbus-rtu.codec.js'
import { benchPortsIn } from '../../../simulation/bench-ports.js'
import { createBenchPotentiostats } from '../../../simulation/potentiostat/bench-potentiostats.js'
import { cells } from '../../../simulation/potentiostat/cell-models.js'
import type { Faults } from '../../../simulation/potentiostat/faults.js'
import {
  type ServeOptions,
  startVirtualPotentiostat,
  type VirtualPotentiostatServer,
} from '../../../simulation/potentiostat/serve.js'
import { eventually } from '../../support/eventually.js'
import { FakeClock } from '../../support/fake-clock.js'
import { silentLogger } from '../../support/silent-logger.js'

/** A host that knows one request at a time. */
class Host {
  readonly socket: Socket
  readonly closed: Promise<void>
  #parser: ReplyParser | null = null
  #onReply: (reply: ModbusReply) => void = () => undefined

  constructor(path: string) {
    this.socket = connect(path)
    this.socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    this.socket.on('data', (chunk) => {
      const reply = this.#parser?.push(chunk) ?? null
      if (reply !== null) this.#onReply(reply)
    })
  }

  send(request: ModbusRequest): Promise<ModbusReply> {
    this.#parser = new ReplyParser(request)
    const reply = new Promise<ModbusReply>((resolve) => {
      this.#onReply = resolve
    })
    this.socket.write(encodeRequest(request))
    return reply
  }

  async command(name: 'fifoStart' | 'setSwitch' | 'reset' | 'testStop', parameter: number): Promise<ModbusReply> {
    return this.send(writeRequest(1, registerGroups.command.address, commandRegisters(name, parameter)))
  }

  async live(): Promise<ReturnType<typeof decodeLiveValues>> {
    const reply = await this.send(readRequest(1, registerGroups.liveValues.address, 24))
    if (reply.kind !== 'registers') throw new Error(JSON.stringify(reply))
    return decodeLiveValues(reply.registers)
  }
}

let directory: string
let server: VirtualPotentiostatServer
const hosts: Host[] = []
const switches: [string, boolean][] = []

const serve = async (options: Partial<ServeOptions> = {}): Promise<VirtualPotentiostatServer> => {
  server = await startVirtualPotentiostat({
    path: join(directory, 'port'),
    serial: '206A30524D31',
    seed: 1,
    clock: createClock(),
    cell: cells.resistor,
    onCellSwitch: (serial, closed) => switches.push([serial, closed]),
    ...options,
  })
  return server
}

const host = (path = server.path): Host => {
  const made = new Host(path)
  hosts.push(made)
  return made
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vpot-'))
  switches.length = 0
})

afterEach(async () => {
  for (const { socket } of hosts.splice(0)) socket.destroy()
  await server?.stop()
  await rm(directory, { recursive: true, force: true })
})

describe('a served device', () => {
  test('answers requests and lets time pass', async () => {
    await serve()
    const it = host()
    await it.command('fifoStart', 0)
    await eventually(async () => expect((await it.live()).adcQueued).toBeGreaterThan(100))
    expect(server.device).toMatchObject({ running: true, cellSwitchClosed: false })
  })

  test('takes its time from the clock it is given', async () => {
    const clock = new FakeClock()
    await serve({ clock })
    await host().command('fifoStart', 0)
    await clock.advance(370)
    expect(server.device.core.adcFifo.length).toBe(Math.floor(370 / 0.36))
  })

  test('reports every change of the cell switch', async () => {
    await serve()
    const it = host()
    await it.command('setSwitch', 1)
    await it.command('setSwitch', 1)
    await it.command('setSwitch', 0)
    expect(switches).toEqual([
      ['206A30524D31', true],
      ['206A30524D31', false],
    ])
  })

  test('ends a frame of unknown length by silence', async () => {
    await serve()
    const it = host()
    const answer = new Promise<Buffer>((resolve) => it.socket.once('data', resolve))
    it.socket.write(Buffer.from('01064F00000100', 'hex'))
    expect((await answer).toString('hex')).toBe('01860183a0')
  })

  test('takes a request in pieces', async () => {
    await serve({ clock: new FakeClock() })
    const it = host()
    const frame = encodeRequest(readRequest(1, registerGroups.liveValues.address, 24))
    const answer = new Promise<Buffer>((resolve) => it.socket.once('data', resolve))
    it.socket.write(frame.subarray(0, 3))
    it.socket.write(frame.subarray(3))
    expect(await answer).toHaveLength(53)
  })

  test('keeps running, switch closed, when the port is unplugged, and is found so when it is back', async () => {
    await serve()
    const it = host()
    await it.command('fifoStart', 1)
    await server.unplug()
    await it.closed
    expect(existsSync(server.path)).toBe(false)
    expect(server.device).toMatchObject({ running: true, cellSwitchClosed: true })
    await server.replug()
    expect((await host().live()).state).toBe(StateBit.run | StateBit.fifo | StateBit.cellSwitch)
  })

  test('vanishes for a reset and comes back at rest', async () => {
    await serve()
    const it = host()
    await it.command('fifoStart', 1)
    await it.command('reset', 1)
    await it.closed
    await eventually(() => expect(existsSync(server.path)).toBe(true))
    expect((await host().live()).state).toBe(0)
    expect(switches.at(-1)).toEqual(['206A30524D31', false])
  })
})

describe('faults', () => {
  /** How many of six requests were answered in time, one clock for all, and what arrived in bytes. */
  const sixReplies = async (faults: Faults): Promise<number[]> => {
    const clock = new FakeClock()
    await serve({ clock, faults })
    const it = host()
    const arrived: number[] = []
    for (let k = 0; k < 6; k++) {
      const before = it.socket.bytesRead
      const handled = server.device.handle.bind(server.device)
      const seen = new Promise<void>((resolve) => {
        server.device.handle = (frame) => {
          resolve()
          return handled(frame)
        }
      })
      void it.send(readRequest(1, registerGroups.chipId.address, 8))
      await seen
      await clock.advance(30)
      await new Promise((resolve) => setImmediate(resolve))
      arrived.push(it.socket.bytesRead - before)
      await clock.advance(30)
      await new Promise((resolve) => setImmediate(resolve))
      server.device.handle = handled
    }
    return arrived
  }

  test.each<[string, Faults, number[]]>([
    ['none', {}, [21, 21, 21, 21, 21, 21]],
    ['every third reply lost', { dropEvery: 3 }, [21, 21, 0, 21, 21, 0]],
    ['every second reply cut', { cutEvery: 2 }, [21, 10, 21, 10, 21, 10]],
    ['every third reply 40 ms late', { delayEvery: 3 }, [21, 21, 0, 21, 21, 0]],
    ['stuck after two replies', { stuckAfter: 2 }, [21, 21, 0, 0, 0, 0]],
    ['stuck from the start', { stuckAfter: 0 }, [0, 0, 0, 0, 0, 0]],
  ])('%s', async (_, faults, arrived) => {
    expect(await sixReplies(faults)).toEqual(arrived)
  })

  test('a corrupted reply is none to the parser', async () => {
    await serve({ faults: { corruptEvery: 1 } })
    const it = host()
    const answer = new Promise<Buffer>((resolve) => it.socket.once('data', resolve))
    let replied = false
    void it.live().then(() => {
      replied = true
    })
    expect(await answer).toHaveLength(53)
    expect(replied).toBe(false)
  })

  test('a replug after three replies takes the port away for half a second; the run goes on', async () => {
    await serve({ faults: { replugAfter: 3 } })
    const it = host()
    await it.command('fifoStart', 1)
    await it.live()
    await it.live()
    await it.closed
    await eventually(() => expect(existsSync(server.path)).toBe(true))
    const live = await host().live()
    expect(live.state).toBe(StateBit.run | StateBit.fifo | StateBit.cellSwitch)
  })

  test('a halted control loop catches up at once and overflows the queue of pairs', async () => {
    const clock = new FakeClock()
    await serve({ clock, faults: { haltAfter: 1 } })
    await host().command('fifoStart', 0)
    await clock.advance(990)
    expect(server.device.core.adcFifo.length).toBe(0)
    await clock.advance(20)
    expect(server.device.core.adcFifo.length).toBe(2048)
    expect(server.device.core.overflows).toBeGreaterThan(700)
  })

  test('what an earlier host left behind', async () => {
    await serve({ clock: new FakeClock(), faults: { leftoverPoints: 500, stopLatched: true } })
    expect(server.device.core.dacFifo.length).toBe(500)
    expect(server.device.core.state).toBe(StateBit.stop)
    server.setFaults({ startsRunning: true })
    expect(server.device).toMatchObject({ running: true, cellSwitchClosed: true })
    expect(switches).toEqual([['206A30524D31', true]])
  })
})

describe('the bench', () => {
  test('serves each device under its own name, the same at every start', async () => {
    await serve()
    const options = {
      addPort: benchPortsIn(directory),
      count: 3,
      seed: 1,
      clock: new FakeClock(),
      logger: silentLogger,
    }
    const first = await createBenchPotentiostats(options)
    const paths = first.devices.map(({ path }) => path)
    expect(new Set(paths).size).toBe(3)
    expect(paths[0]).toMatch(/serial\/usb-Acceleration_Consortium_Potentiostat_[0-9A-F]{12}-if00$/)
    expect((await host(paths[2] ?? '').live()).state).toBe(0)
    await first.stop()
    const second = await createBenchPotentiostats(options)
    expect(second.devices.map(({ path }) => path)).toEqual(paths)
    await second.stop()
  })
})
