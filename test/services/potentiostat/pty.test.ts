import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { serialPorts } from '../../../services/transport/serial-port.js'
import { findPtyTool } from '../../../simulation/potentiostat/pty.js'
import { type PtyServer, servePty } from '../../../simulation/potentiostat/serve-pty.js'
import { clock, planOf, runMode } from './bench.js'

const required = process.env['REQUIRE_PEERS'] === '1'

describe.skipIf(!required && findPtyTool() !== 'socat')('through a real serial port', () => {
  let directory: string
  let server: PtyServer

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'potentiostat-pty-'))
    const link = join(directory, 'ttyACM0')
    server = await servePty({ link, tool: 'socat', serial: '0123456789AB', seed: 1, clock })
  })
  afterEach(async () => {
    await server.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test.each([
    ['CA', { potential: 0.3, duration: 0.5 }],
    ['CV', { start: 0, vertex1: 0.4, vertex2: -0.1, end: 0, scan_rate: 1, cycles: 1 }],
  ])('%s yields exactly its rows and leaves the cell open', async (mode, raw) => {
    const { error, current, applied, observation } = await runMode(await serialPorts.open(server.link), mode, raw)
    expect(error).toBeNull()
    expect(current).toHaveLength(planOf(mode, raw).samples)
    expect(applied).toHaveLength(planOf(mode, raw).samples)
    expect(observation).toMatchObject({ lostSamples: 0, underruns: 0, cellOffVerified: true })
    expect(server.device.cellSwitchClosed).toBe(false)
  })

  test('a port that is not there cannot be opened', async () => {
    await expect(serialPorts.open(join(directory, 'ttyACM9'))).rejects.toThrow('cannot be opened')
  })
})
