import { access, constants, open, readdir, readFile, realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { InvalidInput, type LabError } from '../../events/core/errors.js'
import { type RetryOptions, retry } from '../../primitives/retry.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import { NoPwm, type PwmOutput, type PwmOutputs } from './hardware.js'
import { lockPin } from './pin-lock.js'
import {
  CONTROLLER_CHANNELS,
  decodeAttribute,
  decodeGpiosCell,
  dutyPercent,
  overlayFor,
  PWM_CONTROLLERS,
  pwmRange,
  pwmTimes,
} from './sysfs-pwm.codec.js'

const noPwm = (pin: number, reason: string, cause?: unknown): LabError =>
  new NoPwm(`No PWM on GPIO ${pin}: ${reason}`, {
    cause,
    remediation: `Add ${overlayFor(pin)} to the boot configuration.`,
  })

/** Right after an export udev has yet to hand over the files: wait for them up to 10 s, and repeat what is denied. */
const EXPORT_POLL_MS = 10
const EXPORT_POLLS = 1000
const DENIED_RETRIES: RetryOptions = {
  attempts: 4,
  pauseMs: (attempt) => 50 * attempt,
  isWorthAnother: (error) => ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? ''),
}

/** PWM through the kernel's sysfs files. Pins 12 and 13 belong to the SoC's controller, others to `pwm-gpio` chips.
 * @param root `/sys/class/pwm`, or a directory of the same shape. */
export function createSysfsPwm(root = '/sys/class/pwm'): PwmOutputs {
  const opened = new Set<SysfsPwmOutput>()
  return {
    async open(pin, hz) {
      const { minHz, maxHz } = pwmRange(pin)
      if (!(hz >= minHz && hz <= maxHz)) {
        throw new InvalidInput(`frequency of GPIO ${pin} is ${hz} Hz; it must lie in ${minHz}–${maxHz} Hz.`)
      }
      const channel = (await listChannels(root)).find((found) => found.pin === pin)
      if (channel === undefined) throw noPwm(pin, `no chip below ${root} drives it.`)
      const unlock = await lockPin(await realpath(root), pin)
      try {
        await exportChannel(channel)
        const output: SysfsPwmOutput = new SysfsPwmOutput(channel, hz, () => {
          opened.delete(output)
          return unlock()
        })
        await output.prepare()
        opened.add(output)
        return output
      } catch (error) {
        await unlock()
        throw error
      }
    },
    async list() {
      const channels = await listChannels(root)
      return Promise.all(
        channels.map(async ({ pin, device, path }) => ({ pin, chip: device, dutyCycle: await readDutyCycle(path) })),
      )
    },
    async off(pin) {
      // What its user could not switch off becomes free when it follows now.
      await Promise.allSettled(
        [...opened].filter((left) => left.pin === pin && left.isLeft).map((left) => left.close()),
      )
      const channels = await listChannels(root)
      await Promise.all(channels.filter((channel) => channel.pin === pin).map(({ path }) => switchOff(path)))
    },
    async allOff() {
      // What is open here must not be switched on again by whoever had it, and may be claimed anew.
      await Promise.allSettled([...opened].map((output) => output.close()))
      const results = await Promise.allSettled((await listChannels(root)).map(({ path }) => switchOff(path)))
      const failed = results.find((result) => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}

interface Channel {
  readonly pin: number
  readonly chip: string
  /** Base name of the device behind the chip. */
  readonly device: string
  readonly number: number
  /** Exists once the channel is exported. */
  readonly path: string
}

/** The channels that drive pins of ours; others, such as the Pi 5's fan, are left alone. */
async function listChannels(root: string): Promise<readonly Channel[]> {
  const names = await readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const chips = names.filter((name) => name.startsWith('pwmchip')).sort()
  const channels = chips.map(async (name) => {
    const chip = join(root, name)
    const path = join(chip, 'device')
    const device = basename(await realpath(path).catch(() => path))
    const pins = await pinsOf(chip, device)
    return pins.map(([pin, number]) => ({ pin, chip, device, number, path: join(chip, `pwm${number}`) }))
  })
  return (await Promise.all(channels)).flat()
}

/** Pairs of pin and channel number. */
async function pinsOf(chip: string, device: string): Promise<readonly (readonly [number, number])[]> {
  if (PWM_CONTROLLERS.includes(device)) {
    return Object.entries(CONTROLLER_CHANNELS).map(([pin, channel]) => [Number(pin), channel])
  }
  const cells = await readFile(join(chip, 'device', 'of_node', 'gpios')).catch(() => new Uint8Array())
  const pin = decodeGpiosCell(cells)
  return pin === null ? [] : [[pin, 0]]
}

const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.W_OK).then(
    () => true,
    () => false,
  )

/** Another process may have exported it already. @throws NoPwm */
async function exportChannel({ pin, chip, number, path }: Channel): Promise<void> {
  if (await isWritable(join(path, 'period'))) return
  await write(join(chip, 'export'), number).catch((error: NodeJS.ErrnoException) => {
    // Lost a race against another process that exports the same channel.
    if (error.code !== 'EBUSY') throw noPwm(pin, `${chip}/export cannot be written.`, error)
  })
  for (let polls = 0; !(await isWritable(join(path, 'period'))); polls++) {
    if (polls === EXPORT_POLLS) throw noPwm(pin, `${path} did not appear within 10 s of its export.`)
    await delay(EXPORT_POLL_MS)
  }
}

/** Overwrites in place: where the tree lies on a disk, a full one must not keep an output on. */
async function overwrite(path: string, value: number): Promise<void> {
  const file = await open(path, constants.O_WRONLY)
  try {
    await file.write(`${value}\n`, 0)
  } finally {
    await file.close()
  }
}

const write = (path: string, value: number): Promise<void> => retry(DENIED_RETRIES, () => overwrite(path, value))

const read = async (path: string): Promise<number> => decodeAttribute(await readFile(path, 'utf8')) ?? 0

/** A channel that is not exported drives nothing. */
async function readDutyCycle(path: string): Promise<number> {
  try {
    const [period, duty, enable] = await Promise.all(
      ['period', 'duty_cycle', 'enable'].map((file) => read(join(path, file))),
    )
    return enable === 1 ? dutyPercent(period ?? 0, duty ?? 0) : 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

/** Duty 0 and disabled, if the channel is exported. A channel without a period refuses any write and drives nothing. */
async function switchOff(path: string): Promise<void> {
  const period = await read(join(path, 'period')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 0
    throw error
  })
  if (period === 0) return
  try {
    await write(join(path, 'duty_cycle'), 0)
  } finally {
    await write(join(path, 'enable'), 0)
  }
}

class SysfsPwmOutput implements PwmOutput {
  readonly pin: number
  readonly #path: string
  readonly #hz: number
  #unlock: (() => Promise<void>) | null
  readonly #serially = createSerialQueue()
  #enabled = false
  #closed = false

  constructor({ pin, path }: Channel, hz: number, unlock: () => Promise<void>) {
    this.pin = pin
    this.#path = path
    this.#hz = hz
    this.#unlock = unlock
  }

  /** Whether its user has left it without having got it off. */
  get isLeft(): boolean {
    return this.#closed && this.#unlock !== null
  }

  /** The kernel refuses a period below the present duty, so a channel left running is switched off first. */
  async prepare(): Promise<void> {
    await switchOff(this.#path)
    await this.#write('period', pwmTimes(this.#hz, 0).periodNs)
    await this.#write('duty_cycle', 0)
  }

  setDutyCycle(percent: number): Promise<void> {
    return this.#serially(async () => {
      if (!(percent >= 0 && percent <= 100)) {
        throw new InvalidInput(`duty cycle of GPIO ${this.pin} is ${percent} %; it must lie in 0–100 %.`)
      }
      if (this.#closed) throw noPwm(this.pin, 'the output is closed.')
      await this.#write('duty_cycle', pwmTimes(this.#hz, percent).dutyNs)
      if (this.#enabled) return
      await this.#write('enable', 1)
      this.#enabled = true
    })
  }

  close(): Promise<void> {
    return this.#serially(async () => {
      this.#closed = true
      this.#enabled = false
      await switchOff(this.#path)
      // The lock is kept while the output could not be switched off: nobody else is to find it running.
      await this.#unlock?.()
      this.#unlock = null
    })
  }

  #write(file: string, value: number): Promise<void> {
    return write(join(this.#path, file), value)
  }
}
