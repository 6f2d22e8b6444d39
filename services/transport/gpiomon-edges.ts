import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { defineError } from '../../events/core/errors.js'
import { decodeEdge, decodeGpiomonVersion, findHeaderChip, gpiomonArguments } from './gpiomon.codec.js'
import type { GpioEdges } from './hardware.js'

export class NoEdges extends defineError(
  'hardware.no_edges',
  'hardware',
  'The edges of a GPIO line cannot be watched.',
) {
  constructor(message: string, cause?: unknown) {
    super(message, { cause, remediation: 'Install the package gpiod (1.6 or later).' })
  }
}

const run = promisify(execFile)

/** Edges by the `gpiomon` of libgpiod, one child process per watched pin.
 * @param directory Where `gpiomon` and `gpiodetect` are; by default they are searched in PATH. */
export function createGpiomonEdges(directory?: string): GpioEdges {
  const program = (name: string): string => (directory === undefined ? name : `${directory}/${name}`)
  return {
    async watchFalling(pin, onEdge) {
      const [{ stdout: chips }, { stdout: version }] = await Promise.all([
        run(program('gpiodetect')),
        run(program('gpiomon'), ['--version']),
      ]).catch((error: unknown) => {
        throw new NoEdges('gpiomon and gpiodetect cannot be run.', error)
      })
      const chip = findHeaderChip(chips)
      if (chip === null) throw new NoEdges('gpiodetect lists no chip of the 40-pin header.')
      const args = gpiomonArguments(decodeGpiomonVersion(version), chip, pin)
      const child = spawn(program('gpiomon'), args, { stdio: ['ignore', 'pipe', 'ignore'] })
      await once(child, 'spawn').catch((error: unknown) => {
        throw new NoEdges('gpiomon cannot be started.', error)
      })
      createInterface({ input: child.stdout }).on('line', (line) => {
        const timeS = decodeEdge(line)
        if (timeS !== null) onEdge(timeS)
      })
      return async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const exited = once(child, 'exit')
        child.kill()
        await exited
      }
    },
  }
}
