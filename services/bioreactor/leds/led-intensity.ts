import { once } from 'node:events'
import { Type } from '@sinclair/typebox'
import { defineJob, type ParametersOf } from '../../../events/core/define-job.js'
import { InvalidInput } from '../../../events/core/errors.js'
import { createAction, type Job, type JobContext } from '../../jobs/job.js'
import { sleepS } from '../../runtime/repeat.js'
import { LED_CHANNELS, type LedChannel } from '../board/board.js'
import type { LedBoard, LedLevels } from '../board/led-board.js'

const intensity = (channel: LedChannel) =>
  ({
    schema: Type.Number({ minimum: 0, maximum: 100 }),
    unit: '%',
    step: 1,
    label: `LED ${channel}`,
    doc: `Intensity of LED ${channel}; left out, it stays as it is.`,
    option: { flag: channel, type: 'float range' },
  }) as const

/** Source of names, ranges and defaults: Pioreactor 26.7 `led_intensity`. */
export const ledIntensity = defineJob({
  name: 'led_intensity',
  help: 'Set the intensity of LEDs. It runs as long as one of them shines.',
  action: true,
  stopOrder: 'lights',
  parameters: {
    a: intensity('A'),
    b: intensity('B'),
    c: intensity('C'),
    d: intensity('D'),
    source_of_event: {
      schema: Type.String(),
      doc: 'Who asked, for the events of the LEDs.',
      option: true,
      default: 'CLI',
    },
    no_log: {
      schema: Type.Boolean(),
      doc: 'Neither an event nor a log message for each LED.',
      option: true,
      default: false,
    },
  },
})

/** A channel that an optical reading has locked is tried so often, s apart. Source: Pioreactor 26.7 `led_automation`. */
const ATTEMPTS = 6
const RETRY_S = 0.5

/** LEDs set by hand. Those that shine belong to the action that set one of them last, and go out with it. */
export function createLedIntensityAction({ leds }: { readonly leds: LedBoard }): Job {
  /** Whose the LEDs are that are to shine. */
  const owners = new Map<LedChannel, JobContext>()

  return createAction(ledIntensity, async (job, params) => {
    const levels = levelsOf(params)
    const source = params.no_log ? undefined : params.source_of_event
    const set = (wanted: LedLevels, stop?: AbortSignal): Promise<void> =>
      setWhenFree(leds, wanted, {
        job,
        source,
        stop,
        onSet(channel, percent) {
          if (percent > 0) owners.set(channel, job)
          else owners.delete(channel)
        },
      })
    job.atEnd(() => {
      const own = LED_CHANNELS.filter((channel) => owners.get(channel) === job)
      return set(Object.fromEntries(own.map((channel) => [channel, 0])))
    })
    const before = new Set(owners.values())
    await set(levels, job.ending)
    for (const channel of owners.keys()) owners.set(channel, job)
    for (const other of before) if (other !== job) other.end(null)
    if (owners.size > 0 && !job.ending.aborted) await once(job.ending, 'abort')
  })
}

/** @throws InvalidInput without any */
function levelsOf({ a, b, c, d }: ParametersOf<typeof ledIntensity>): LedLevels {
  const given = Object.entries({ A: a, B: b, C: c, D: d }).filter(([, percent]) => percent !== undefined)
  if (given.length === 0) throw new InvalidInput('No LED is named: give at least one of A, B, C, D, in %.')
  return Object.fromEntries(given)
}

interface SetOptions {
  readonly job: JobContext
  /** Undefined tells nothing but the complete state. */
  readonly source: string | undefined
  readonly stop: AbortSignal | undefined
  /** Called before the hardware is touched: whatever becomes of the write. */
  onSet(channel: LedChannel, percent: number): void
}

/** Sets the free channels at once, and those that an optical reading has locked as soon as it lets them go: what is written meanwhile would be undone. */
async function setWhenFree(leds: LedBoard, wanted: LedLevels, { job, source, stop, onSet }: SetOptions): Promise<void> {
  let left: readonly (readonly [LedChannel, number])[] = LED_CHANNELS.flatMap((channel) => {
    const percent = wanted[channel]
    return percent === undefined ? [] : [[channel, percent] as const]
  })
  for (let attempt = 1; left.length > 0 && stop?.aborted !== true; attempt++) {
    const free = left.filter(([channel]) => !leds.isLocked(channel))
    left = left.filter(([channel]) => leds.isLocked(channel))
    const before = { ...leds.state }
    for (const [channel, percent] of free) onSet(channel, percent)
    if (free.length > 0) await leds.set(Object.fromEntries(free), job, source)
    for (const [channel, percent] of source === undefined ? [] : free) {
      job.log('info', `Updated LED ${channel} from ${before[channel]} to ${percent} %.`)
    }
    if (left.length === 0) return
    if (attempt === ATTEMPTS) {
      const lit = left.filter(([, percent]) => percent > 0)
      const dark = left.flatMap(([channel, percent]) => (percent > 0 ? [] : [channel]))
      // A reading that takes so long, or hangs, would restore them.
      for (const channel of dark) onSet(channel, 0)
      if (dark.length > 0) await leds.putOut(dark, job, source)
      if (lit.length === 0) return
      const names = lit.map(([channel]) => channel).join(', ')
      return job.log('warning', `LEDs ${names} are in use by another job and were not set.`)
    }
    await sleepS(job.clock, RETRY_S, stop)
  }
}
