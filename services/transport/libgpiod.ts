import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { defineError } from '../../events/core/errors.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import { realTime } from '../../primitives/timer.js'
import { type ChildProgram, launchProgram, type ProgramOptions, startProgram } from './child-programs.js'
import type { Gpio } from './hardware.js'
import {
  decodeConsumer,
  decodeEdge,
  decodeLibgpiodVersion,
  type Edge,
  findHeaderChip,
  gpioinfoArguments,
  gpiomonArguments,
  gpiosetArguments,
  type LibgpiodVersion,
  type Watched,
} from './libgpiod.codec.js'

export class NoGpio extends defineError('hardware.no_gpio', 'hardware', 'A GPIO line cannot be used.') {
  constructor(message: string, cause?: unknown) {
    super(message, { cause, remediation: 'Install the package gpiod (1.6 or later).' })
  }
}

const run = promisify(execFile)

/** A program that ended is started again after so long: the line may be free by then. */
const RESTART_MS = 1000

interface Header {
  readonly chip: string
  readonly version: LibgpiodVersion
}

/** GPIO lines of the 40-pin header over the character device, by the programs of libgpiod: one child process per line in use.
 * @param directory Where the programs are; by default they are searched in PATH. */
export function createLibgpiod(directory?: string): Gpio {
  const program = (name: string): string => (directory === undefined ? name : `${directory}/${name}`)

  const findHeader = async (): Promise<Header> => {
    const [{ stdout: chips }, { stdout: version }] = await Promise.all([
      run(program('gpiodetect')),
      run(program('gpiomon'), ['--version']),
    ]).catch((error: unknown) => {
      throw new NoGpio('gpiomon and gpiodetect cannot be run.', error)
    })
    const chip = findHeaderChip(chips)
    if (chip === null) throw new NoGpio('gpiodetect lists no chip of the 40-pin header.')
    return { chip, version: decodeLibgpiodVersion(version) }
  }

  const start = (pin: number, options: ProgramOptions): Promise<ChildProgram> =>
    startProgram(options).catch((error: unknown) => {
      throw new NoGpio(`GPIO ${pin}: ${error instanceof Error ? error.message : String(error)}`, error)
    })

  /** Goes on when `gpiomon` ends by itself, as when the line was lost for a while. */
  const watch = async (pin: number, watched: Watched, onEdge: (edge: Edge) => void): Promise<() => Promise<void>> => {
    const { chip, version } = await findHeader()
    const stopped = new AbortController()
    const startOne = (): Promise<ChildProgram> =>
      start(pin, {
        program: program('gpiomon'),
        args: gpiomonArguments(version, chip, pin, watched),
        onLine: (line) => {
          const edge = decodeEdge(line)
          if (edge !== null && !stopped.signal.aborted) onEdge(edge)
        },
      })
    let current: ChildProgram | null = await startOne()
    const keepWatching = async (): Promise<void> => {
      while (!stopped.signal.aborted) {
        await current?.ended
        await realTime.sleepUntil(realTime.monotonicMs() + RESTART_MS, stopped.signal)
        if (!stopped.signal.aborted) current = await startOne().catch(() => null)
      }
    }
    const watching = keepWatching()
    return async () => {
      stopped.abort()
      await current?.stop()
      await watching
      await current?.stop()
    }
  }

  return {
    watchFalling: (pin, onEdge) =>
      watch(pin, 'falling', ({ high, timeS }) => {
        if (!high) onEdge(timeS)
      }),
    watchLevel: (pin, onLevel) => watch(pin, 'both', ({ high, timeS }) => onLevel(high, timeS)),
    async openOutput(pin) {
      const { chip, version } = await findHeader()
      const serially = createSerialQueue()
      const driving = (high: boolean): ProgramOptions => ({
        program: program('gpioset'),
        args: gpiosetArguments(version, chip, pin, high),
      })
      // The first shows whether the line is free; those that follow would blink too slowly if each were waited for.
      let holder = await start(pin, driving(false))
      const drive = async (high: boolean): Promise<void> => {
        await holder.stop()
        holder = launchProgram(driving(high))
      }
      return {
        pin,
        set: (high) => serially(() => drive(high)),
        close: () =>
          serially(async () => {
            await holder.stop()
            // Waited for: it must have been driven low before it is released.
            holder = await start(pin, driving(false))
            await holder.stop()
          }),
      }
    },
    async consumerOf(pin) {
      const { chip, version } = await findHeader()
      const { stdout } = await run(program('gpioinfo'), [...gpioinfoArguments(version, chip)]).catch(
        (error: unknown) => {
          throw new NoGpio('gpioinfo cannot be run.', error)
        },
      )
      return decodeConsumer(stdout, pin)
    },
  }
}
