import type { RunOrder } from '../../events/payloads.js'
import { runNames, segmentName } from '../../events/run-names.js'

/** Where run files go: `contract` puts slot folders into the run's directory, `wells` into `Wells/` below it; `short` file names hold
 * experiment, slot and mode, `full` ones subdirectory and timestamp too. */
export interface RunLayout {
  readonly layout: 'contract' | 'wells'
  readonly fileName: 'short' | 'full'
}

/** The layout the box API documents. */
export const CONTRACT_LAYOUT: RunLayout = { layout: 'contract', fileName: 'short' }

/** Directory of a run relative to the runs' root. A slot folder that belongs to another run is never shared: the run then gets a
 * directory of its own, marked with its id.
 * @param isTaken whether another run owns this slot of that directory. */
export function runDirectory(order: RunOrder, isTaken: (directory: string, slot: string) => boolean): string {
  let { directory } = runNames(order)
  while (order.slots.some((slot) => isTaken(directory, slot))) directory += `_${order.run_id}`
  return directory
}

/** Path of a mode's files without extension, relative to the run's directory: `slot01/CV/MyExperiment_slot01_CV`.
 * A mode that occurs again in the sequence gets `_2`, `_3`, … */
export function modeBasePath(order: RunOrder, slot: string, modeIndex: number, layout: RunLayout): string {
  const { experiment, subdir, timestamp } = runNames(order)
  const mode = numberedMode(order, modeIndex)
  const slotName = segmentName('slot', slot)
  const middle = layout.fileName === 'full' ? [...(subdir === null ? [] : [subdir]), timestamp.name] : []
  const file = [experiment, ...middle, slotName, mode].join('_')
  return [...(layout.layout === 'wells' ? ['Wells'] : []), slotName, mode, file].join('/')
}

/** Name of a mode within its sequence: `CV`, and `CV_2` where it occurs for the second time. */
export function numberedMode(order: RunOrder, modeIndex: number): string {
  const mode = order.modes[modeIndex]?.mode ?? ''
  const occurrence = order.modes.slice(0, modeIndex + 1).filter((other) => other.mode === mode).length
  return segmentName('mode', mode) + (occurrence > 1 ? `_${occurrence}` : '')
}
