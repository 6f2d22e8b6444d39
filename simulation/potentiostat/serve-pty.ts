import type { Clock } from '../../events/ports.js'
import { Pacer } from './pacer.js'
import { PoweredDevice, type PoweredDeviceOptions } from './powered-device.js'
import { openPty, type Pty, type PtyTool } from './pty.js'
import type { VirtualPotentiostat } from './virtual-potentiostat.js'

export interface ServePtyOptions extends PoweredDeviceOptions {
  /** Path of the symbolic link to the terminal; replaced when it exists. */
  readonly link: string
  readonly clock: Clock
  /** Default: whichever the machine has. */
  readonly tool?: PtyTool
}

export interface PtyServer {
  readonly link: string
  readonly device: VirtualPotentiostat
  stop(): Promise<void>
}

/** Serves a virtual potentiostat on a pseudo-terminal, for any Modbus RTU program; the port comes and goes as the device resets.
 * @throws NoPty */
export async function servePty(options: ServePtyOptions): Promise<PtyServer> {
  const { link, tool } = options
  const powered = new PoweredDevice(new Pacer(options.clock), options)
  const attach = async (): Promise<Pty> => {
    const pty = await openPty(link, tool)
    pty.onData(powered.connect((bytes) => pty.write(bytes)))
    return pty
  }
  let pty: Promise<Pty | null> = attach().catch((error: unknown) => {
    powered.stop()
    throw error
  })
  await pty
  let stopped = false
  powered.onPresence = (present) => {
    pty = pty.then(async (before) => {
      await before?.close()
      return present && !stopped ? attach() : null
    })
    // Reported by the code that awaits `stop`.
    pty.catch(() => undefined)
  }
  return {
    link,
    device: powered.device,
    async stop() {
      stopped = true
      powered.stop()
      await (await pty)?.close()
    },
  }
}
