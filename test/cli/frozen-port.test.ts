import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { instruments } from '../../instruments.js'
import { driveOutputsSafe } from '../../services/runtime/safe-state.js'
import { type PtyDevice, startPtyDevice, withoutPty } from '../services/potentiostat/virtual-devices.js'
import { openPort, withSerialPort } from '../support/serial-hardware.js'
import { until } from '../support/until.js'

const holder = fileURLToPath(new URL('../support/port-holder.js', import.meta.url))

describe.skipIf(withoutPty)('a potentiostat on a port that is locked', () => {
  let potentiostat: PtyDevice
  const isClosed = (): boolean => potentiostat.device.cellSwitchClosed

  afterEach(() => potentiostat.dispose())

  /** A process that has the port and closed the cell switch. */
  async function startHolder() {
    potentiostat = await startPtyDevice()
    const services = spawn(process.execPath, [holder, potentiostat.link], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(services.stdout, 'data')
    expect(isClosed()).toBe(true)
    await expect(openPort(potentiostat.link)).rejects.toThrow('cannot be opened')
    return services
  }

  it('has its cell opened when the process that locks it is frozen', async () => {
    const services = await startHolder()
    services.kill('SIGSTOP')
    await until(() => !isClosed(), 'the cell to be open')
    expect(services.signalCode).toBe('SIGKILL')
  })

  it('has its cell opened when the process that locks it is killed', async () => {
    const services = await startHolder()
    services.kill('SIGKILL')
    await until(() => !isClosed(), 'the cell to be open')
  })

  it('is waited for while a process that locks it is still ending', async () => {
    potentiostat = await startPtyDevice()
    const ending = await openPort(potentiostat.link)
    setTimeout(() => void ending.close(), 300)
    expect(await driveOutputsSafe(withSerialPort(potentiostat.link), instruments)).toMatchObject({ safe: true })
  })
})
