import { REDACTED } from '../../../events/config/config.js'
import { type IniSections, parseIni } from '../config/ini.js'
import { redactText } from '../config/redaction.js'

const SECTION = /^\[(.+)\]/

/** Puts the secrets of this unit back into a configuration that an export has left them out of. A secret that this unit does not have, or whose
 * surroundings are others, is taken out of force: its line becomes a comment.
 * @param own the configuration of this unit as it is */
export function restoreSecrets(text: string, own: string): string {
  if (!text.includes(REDACTED)) return text
  const known = sectionsOf(own)
  let section = ''
  return text
    .split('\n')
    .map((line) => {
      section = SECTION.exec(line.trim())?.[1] ?? section
      if (!line.includes(REDACTED) || /^\s*[#;]/.test(line)) return line
      const at = line.search(/[=:]/)
      const option = line.slice(0, at).trim()
      const value = at === -1 ? undefined : known.get(section)?.get(option)
      const whole = `${line.slice(0, at + 1)} ${(value ?? '').replaceAll('\n', '\n    ')}`
      const isSame = typeof value === 'string' && squeezed(redactText(whole)) === squeezed(line)
      return isSame ? whole : `# not in the archive, enter it again: ${line.trim()}`
    })
    .join('\n')
}

const squeezed = (line: string): string => line.replaceAll(/\s+/g, ' ').trim()

function sectionsOf(text: string): IniSections {
  try {
    return parseIni(text)
  } catch {
    return new Map()
  }
}
