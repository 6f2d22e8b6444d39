import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import modbus from 'modbus-serial'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createClock } from '../../../clock.js'
import { commandRegisters, decodeLiveValues, StateBit } from '../../../services/potentiostat/device/registers.js'
import { decodeFloats, encodeFloats } from '../../../services/transport/register-values.codec.js'
import { cells } from '../../../simulation/potentiostat/cell-models.js'
import { findPtyTool, type PtyTool } from '../../../simulation/potentiostat/pty.js'
import { type PtyServer, servePty } from '../../../simulation/potentiostat/serve-pty.js'
import { eventually } from '../../support/eventually.js'

const required = process.env['REQUIRE_PEERS'] === '1'
const tools: readonly PtyTool[] = required ? ['socat', 'script'] : findPtyTool() === 'socat' ? ['socat'] : []

describe.skipIf(tools.length === 0).each(tools.length === 0 ? ['socat' as const] : tools)(
  'over a pty by %s',
  (tool) => {
    let directory: string
    let server: PtyServer
    let master: InstanceType<typeof modbus.default>

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'vpot-pty-'))
      const link = join(directory, 'ttyACM0')
      server = await servePty({
        link,
        tool,
        serial: '206A30524D31',
        seed: 1,
        clock: createClock(),
        cell: cells.resistor,
      })
      master = new modbus.default()
      await master.connectRTUBuffered(link, { baudRate: 115200 })
      master.setID(1)
      master.setTimeout(1000)
    })

    afterEach(async () => {
      await new Promise<void>((resolve) => master.close(() => resolve()))
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    })

    const live = async (): Promise<ReturnType<typeof decodeLiveValues>> =>
      decodeLiveValues(Uint16Array.from((await master.readHoldingRegisters(0x0300, 24)).data))

    test('an independent Modbus master plays points and reads pairs', async () => {
      expect((await live()).tiaOhm).toBeCloseTo(99009.9, 0)
      await master.writeRegisters(0x4f00, [...commandRegisters('setTiaGain', 0)])
      await master.writeRegisters(0x0200, [...encodeFloats(new Array<number>(60).fill(0.5))])
      await master.writeRegisters(0x4f00, [...commandRegisters('fifoStart', 1)])
      const pairs: number[] = []
      await eventually(async () => {
        const { data } = await master.readHoldingRegisters(0x0100, 120)
        pairs.push(...decodeFloats(Uint16Array.from(data)))
        expect(pairs.length).toBeGreaterThanOrEqual(20 * 60)
      })
      expect(pairs.at(-2)).toBeCloseTo(0.5e-3, 4)
      expect(pairs.at(-1)).toBeCloseTo(0.5, 2)
      await master.writeRegisters(0x4f00, [...commandRegisters('testStop', 1)])
      await eventually(async () => expect((await live()).state).toBe(0))
    })

    test('the terminal outlives the program that used it', async () => {
      await master.writeRegisters(0x4f00, [...commandRegisters('setSwitch', 1)])
      await new Promise<void>((resolve) => master.close(() => resolve()))
      await master.connectRTUBuffered(server.link, { baudRate: 115200 })
      expect((await live()).state).toBe(StateBit.cellSwitch)
    })

    test('nothing is left when the server stops', async () => {
      await server.stop()
      expect(existsSync(server.link)).toBe(false)
    })

    test('the terminal goes with a process that is killed', async () => {
      const link = join(directory, 'ttyACM1')
      const serve = new URL('../../../simulation/potentiostat/serve-pty.js', import.meta.url).href
      const clock = new URL('../../../clock.js', import.meta.url).href
      const code = `const { servePty } = await import('${serve}'); const { createClock } = await import('${clock}')
      await servePty({ link: '${link}', tool: '${tool}', serial: '206A30524D31', seed: 1, clock: createClock() })`
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' })
      await eventually(() => expect(existsSync(link)).toBe(true))
      child.kill('SIGKILL')
      await once(child, 'exit')
      await eventually(() => expect(existsSync(link)).toBe(false))
    })
  },
)
