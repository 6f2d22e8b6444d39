import { segmentName } from '../../../events/run-names.js'
import type { RunOverview } from '../../../projections/read-models.js'

const folded = (text: string): string => text.trim().toLowerCase()

function asFolder(text: string): string {
  try {
    return segmentName('subdir', text)
  } catch {
    return ''
  }
}

/** Whether a run belongs to a group: its label, the subdirectory it was ordered into or the folder it lies in, whatever the case.
 * Source: pyBEEP's box service, whose clients search by any of them. */
export function isInGroup({ group_id, subdir, directory }: RunOverview, wanted: string): boolean {
  const folders = directory?.split('/') ?? []
  const labels = [
    group_id || subdir || '',
    subdir === null ? '' : asFolder(subdir),
    folders.length >= 3 ? (folders.at(-2) ?? '') : '',
  ]
  return labels.some((label) => label !== '' && folded(label) === folded(wanted))
}
