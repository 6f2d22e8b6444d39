import type { Clock } from '../../../events/ports.js'
import { Alarm } from '../../runtime/alarm.js'
import type { Gpio } from '../../transport/hardware.js'

/** A level counts once it has held so long; contacts of push buttons bounce for a few ms. */
const DEBOUNCE_MS = 20

/** Reports each press (true) and release (false) of the unit's button once, until the returned function is called.
 * @throws LabError when the line cannot be used. Source: Pioreactor 26.7 `monitor`, which reports bounces too. */
export async function watchButton(
  gpio: Pick<Gpio, 'watchLevel'>,
  pin: number,
  clock: Clock,
  onChange: (pressed: boolean) => void,
): Promise<() => Promise<void>> {
  const rest = new Alarm(clock)
  let reported = false
  const end = await gpio.watchLevel(pin, (high) => {
    rest.set(clock.monotonicMs() + DEBOUNCE_MS, () => {
      if (high === reported) return
      reported = high
      onChange(high)
    })
  })
  return async () => {
    rest.cancel()
    await end()
  }
}
