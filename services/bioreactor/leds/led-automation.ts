import { defineAutomationKind } from '../../../events/core/define-automation.js'
import { type Automation, automationsOf } from '../../jobs/automation.js'
import type { OpenPort } from '../../jobs/automation-host.js'
import { sleepS } from '../../runtime/repeat.js'
import { LED_CHANNELS, type LedChannel } from '../board/board.js'
import type { LedBoard, LedLevels } from '../board/led-board.js'

const ledKind = defineAutomationKind({
  kind: 'led',
  help: 'Drive the LEDs by a rule.',
  stopOrder: 'automations',
  parameters: {},
})

/** What a LED automation is shown. */
export interface LedSeen {
  /** Since the start of the automation. */
  readonly elapsedS: number
}

/** Declares a LED automation. What it wants are intensities in %, of the channels it names alone. */
export const ledAutomation = automationsOf<LedSeen, LedLevels, LedLevels>()(ledKind)

export type LedAutomation = Automation<LedSeen, LedLevels, LedLevels>

/** A channel that another job has locked is tried so often, s apart. Source: Pioreactor 26.7. */
const ATTEMPTS = 6
const RETRY_S = 0.5

/** LEDs as automations use them. Every channel that an automation touched is dark while it sleeps and when it has ended. */
export const openLeds =
  (leds: LedBoard): OpenPort<LedSeen, LedLevels, LedLevels> =>
  async (job, automation) => {
    const startedMs = job.clock.monotonicMs()
    const touched = new Set<LedChannel>()
    /** Waits for channels that an optical reading keeps dark, so that it does not restore what was there before. @returns what was set */
    const set = async (wanted: LedLevels, stop?: AbortSignal): Promise<LedLevels> => {
      const channels = LED_CHANNELS.filter((channel) => wanted[channel] !== undefined)
      for (let attempt = 1; channels.some((channel) => leds.isLocked(channel)); attempt++) {
        if (attempt === ATTEMPTS) {
          // A reading that takes so long, or hangs, would restore them.
          const dark = channels.filter((channel) => wanted[channel] === 0)
          if (dark.length > 0) await leds.putOut(dark, job, `led_automation:${automation}`)
          if (dark.length === channels.length) return wanted
          job.log('warning', `LEDs ${channels.join(', ')} are in use by another job and were not set.`)
          return {}
        }
        await sleepS(job.clock, RETRY_S, stop)
      }
      // Also what is on its way to be so.
      const isSo = (channel: LedChannel): boolean =>
        wanted[channel] === leds.state[channel] && wanted[channel] === leds.wanted[channel]
      const changed = channels.filter((channel) => !isSo(channel))
      if (changed.length === 0 || stop?.aborted === true) return {}
      const levels: LedLevels = Object.fromEntries(changed.map((channel) => [channel, wanted[channel]]))
      await leds.set(levels, job, `led_automation:${automation}`)
      return levels
    }
    const darken = async (): Promise<void> => {
      await set(Object.fromEntries([...touched].map((channel) => [channel, 0])))
    }
    job.atEnd(darken)
    return {
      see: () => ({ elapsedS: (job.clock.monotonicMs() - startedMs) / 1000 }),
      carryOut(wanted, stop) {
        for (const channel of LED_CHANNELS) if (wanted[channel] !== undefined) touched.add(channel)
        return set(wanted, stop)
      },
      sleep: darken,
      wake: async () => undefined,
    }
  }
