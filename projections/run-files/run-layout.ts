import type { RunFileLayout, RunOrder } from '../../events/potentiostat/run-order.js'
import { runNames, segmentName } from '../../events/run-names.js'

/** The layout the box API documents. */
const CONTRACT_LAYOUT: RunFileLayout = { layout: 'contract', file_name: 'short' }

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
export function modeBasePath(order: RunOrder, slot: string, modeIndex: number): string {
  const { layout, file_name } = order.file_layout ?? CONTRACT_LAYOUT
  const { experiment, subdir, timestamp } = runNames(order)
  const mode = numberedMode(order, modeIndex)
  const slotName = segmentName('slot', slot)
  const middle = file_name === 'full' ? [...(subdir === null ? [] : [subdir]), timestamp.name] : []
  const file = [experiment, ...middle, slotName, mode].join('_')
  return [...(layout === 'wells' ? ['Wells'] : []), slotName, mode, file].join('/')
}

/** Name of a mode within its sequence: `CV`, and `CV_2` where it occurs for the second time. */
function numberedMode(order: RunOrder, modeIndex: number): string {
  const mode = order.modes[modeIndex]?.mode ?? ''
  const occurrence = order.modes.slice(0, modeIndex + 1).filter((other) => other.mode === mode).length
  return segmentName('mode', mode) + (occurrence > 1 ? `_${occurrence}` : '')
}
