import { createClock } from '../clock.js'
import { InvalidInput } from '../events/core/errors.js'
import { instruments } from '../instruments.js'
import { createLogger } from '../logger.js'
import { claimPriority, HARDWARE } from '../priority.js'
import type { BenchProcessOptions } from './spawn-bench.js'
import { type BenchDevice, startBench } from './start-bench.js'

/** Entry of the bench's own process; its options come as JSON in the first argument. Tells its parent `ready`, or the message of
 * what went wrong, and lets go of it. */
async function main(): Promise<void> {
  claimPriority(HARDWARE)
  const options = JSON.parse(process.argv[2] ?? '{}') as Partial<BenchProcessOptions>
  const { directory, twins = {}, speed, epochMs, logLevel = 'info', seed = 1, ...world } = options
  if (directory === undefined) throw new InvalidInput('The bench needs a directory.')
  const clock = createClock({
    ...(speed === undefined ? {} : { speed }),
    ...(epochMs === undefined ? {} : { epochMs }),
  })
  const logger = createLogger(logLevel, 'bench')
  const devices = instruments.flatMap(({ name, twin }): BenchDevice[] => {
    const settings = twins[name]
    return twin === undefined || settings === undefined ? [] : [(context) => twin.start(context, settings)]
  })
  const bench = await startBench({
    ...world,
    seed,
    directory,
    clock,
    logger,
    tickMs: tickMs(speed ?? 1),
    devices,
  })
  process.on('SIGTERM', () => void bench.stop())
  await tellParent('ready')
  await bench.ended
  logger.info({}, 'simulated bench ended')
}

/** Often enough for the stirrer's measuring windows, but no more than 200 times a second of the machine. */
const tickMs = (speed: number): number => Math.max(100, 5 * speed)

/** The bench outlives its parent, so the channel is closed after one message. */
function tellParent(message: string): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) return resolve()
    process.send(message, () => {
      if (process.connected) process.disconnect()
      resolve()
    })
  })
}

main().catch(async (error: unknown) => {
  process.exitCode = 1
  await tellParent(error instanceof Error ? error.message : String(error))
})
