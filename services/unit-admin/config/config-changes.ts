import type { ConfigChange } from '../../../events/config/config.js'
import type { IniSections } from './ini.js'
import { redactSections } from './redaction.js'

/** The event is one message. A file that is longer than anybody's may change more; then its text alone tells the rest. */
const MAX_LENGTH = 200_000

/** Options that differ between two readings of a file, in the order of the later one, those that are gone last; secrets redacted. */
export function configChanges(before: IniSections, after: IniSections): ConfigChange[] {
  let length = 0
  return allChanges(before, after).filter((change) => {
    length += JSON.stringify(change).length
    return length <= MAX_LENGTH
  })
}

function allChanges(before: IniSections, after: IniSections): ConfigChange[] {
  const [hiddenBefore, hiddenAfter] = [redactSections(before), redactSections(after)]
  const changes: ConfigChange[] = []
  for (const [section, options] of after) {
    const earlier = before.get(section)
    for (const [option, value] of options) {
      if (earlier?.has(option) === true && earlier.get(option) === value) continue
      changes.push({
        section,
        option,
        ...(earlier?.has(option) === true ? { before: textIn(hiddenBefore, section, option) } : {}),
        after: textIn(hiddenAfter, section, option),
      })
    }
  }
  for (const [section, options] of before) {
    for (const option of options.keys()) {
      if (after.get(section)?.has(option) !== true)
        changes.push({ section, option, before: textIn(hiddenBefore, section, option) })
    }
  }
  return changes
}

const textIn = (sections: IniSections, section: string, option: string): string | null =>
  sections.get(section)?.get(option) ?? null
