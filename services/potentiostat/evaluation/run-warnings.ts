import type { RunWarning } from '../../../events/run-warnings.js'

/** Every warning that a measurement or its evaluation may give, with its meaning. `docs/run-files.md` has the same list. */
export const runWarnings = {
  current_saturated: 'The current exceeded the range that was chosen, so readings stand at its limit.',
  potential_saturated:
    'The potential stood at the limit of ±4.95 V, where it is neither measured nor controlled any more.',
  current_not_held: 'The current that was asked for did not flow.',
  limit_reached: 'A limit of the order ended the mode before its time.',
  not_evaluated: 'Results were left out, because the samples behind them are clipped.',
  poor_fit: 'The fit of a capacitance explains the currents badly (R² below 0.95).',
  readings_polled: 'The device queues no samples under current control, so rows repeat the latest reading.',
  steps_skipped: 'Steps were over before they could be sent to the device.',
} as const satisfies Readonly<Record<string, string>>
export type RunWarningCode = keyof typeof runWarnings

/** What one mode's measurement warns of. */
export interface MeasurementWarning {
  readonly code: RunWarningCode
  readonly message: string
}

/** `5909 of 6665 samples (88.7 %)`; only all of them are 100 %. */
export function shareOf(count: number, total: number, what = 'samples'): string {
  const percent = Number(((100 * count) / total).toPrecision(3))
  return `${count} of ${total} ${what} (${count < total ? Math.min(99.9, percent) : percent} %)`
}

/** A status shows so many; the others stand in the list of warnings. */
const MOST_TEXTS = 20

/** Warnings as one text for people, each with its mode where there is one; null when there are none. */
export function warningsText(warnings: readonly RunWarning[], modes: readonly string[]): string | null {
  if (warnings.length === 0) return null
  const texts = warnings
    .slice(0, MOST_TEXTS)
    .map(({ message, mode_index }) => (mode_index === undefined ? message : `${modes[mode_index] ?? ''}: ${message}`))
  const more = warnings.length - texts.length
  return [...texts, ...(more > 0 ? [`There are ${more} more warnings.`] : [])].join(' ')
}
