import type { Clock } from '../../../events/ports.js'
import type { Potentiostat } from '../device/device.js'
import { stopRun } from '../device/quiesce.js'
import { ControlNotUnwound, MeasurementAborted } from '../errors.js'

/** The output may begin so far from the cell's own potential, V: two steps of the DAC. */
const TOLERANCE_V = 0.005
/** The distance shrinks with this time constant, ms: several turns of a loop over the serial line. */
const TIME_CONSTANT_MS = 20
const LOOK_MS = 4
/** From rail to rail the output needs 0.2 s at its greatest slope of 0.05 V/ms. */
const TIMEOUT_MS = 2000

/** Brings the output of current control to a potential, with the cell open.
 *
 * The firmware never resets the output: control begins where the last one ended, and would hit the cell with that potential. No command
 * sets it, but with the cell open no current flows, so that a target moves the output by `gain` volts per ampere and millisecond.
 * @throws ControlNotUnwound, MeasurementAborted. */
export async function unwindControl(
  device: Potentiostat,
  clock: Clock,
  potentialV: number,
  stop: AbortSignal,
): Promise<void> {
  const gain = await device.controlGain()
  // What the open cell reads is the amplifier's error; control takes it for current.
  const { currentA: errorA } = await device.live()
  const giveUpMs = clock.monotonicMs() + TIMEOUT_MS
  for (let moving = false; ; ) {
    const outputV = await device.controlOutput()
    const missingV = potentialV - outputV
    if (Math.abs(missingV) <= TOLERANCE_V) {
      if (!moving) return
      await device.pidStart(errorA)
      await stopRun(device, clock)
      moving = false
      continue
    }
    if (stop.aborted) throw new MeasurementAborted(String(stop.reason))
    if (clock.monotonicMs() > giveUpMs) throw new ControlNotUnwound(outputV, potentialV)
    await device.pidStart(errorA + missingV / (gain * TIME_CONSTANT_MS))
    moving = true
    await clock.sleepUntil(clock.monotonicMs() + LOOK_MS, stop)
  }
}
