import { REDACTED } from '../../../events/config/config.js'
import type { IniSections } from './ini.js'

/** Options whose values never get into an event. */
const SECRET = /pass(word|phrase|wd)|secret|token|credential|(^|[_.-])(api|private|access|auth)?_?key$|^psk$/i

const isSecret = (option: string): boolean => SECRET.test(option.trim())

/** User and password in an address. */
const USER_INFO = /:\/\/[^\s/@]+@/g

/** The same sections without secrets. Before references are resolved, so that none brings one back under another name. */
export const redactSections = (sections: IniSections): IniSections =>
  new Map(
    [...sections].map(([section, options]) => [
      section,
      new Map([...options].map(([option, value]) => [option, redactedValue(option, value)])),
    ]),
  )

function redactedValue(option: string, value: string | null): string | null {
  if (value === null || value === '') return value
  // A line that continues a value may look like an option.
  return isSecret(option) ? REDACTED : redactText(value)
}

/** The same text without secrets: values of secret options, with the lines that continue them, also where they are commented out. Works on texts
 * that cannot be read as INI too. */
export function redactText(text: string): string {
  /** Of the secret option that the next lines may continue. */
  let indent: number | null = null
  const lines: string[] = []
  for (const line of text.split('\n')) {
    const depth = line.length - line.trimStart().length
    const isBlank = line.trim() === ''
    if (indent !== null && !isBlank && depth > indent) continue
    if (!isBlank) indent = isSecret(nameIn(line)) ? depth : null
    lines.push(indent === null || isBlank ? line.replace(USER_INFO, `://${REDACTED}@`) : withoutValue(line))
  }
  return lines.join('\n')
}

const delimiterIn = (line: string): number => line.search(/[=:]/)

/** The option of a line, commented out or not. */
function nameIn(line: string): string {
  const at = delimiterIn(line)
  return (at === -1 ? line : line.slice(0, at)).replace(/^[#;\s]+/, '')
}

function withoutValue(line: string): string {
  const at = delimiterIn(line)
  return at === -1 || line.slice(at + 1).trim() === '' ? line : `${line.slice(0, at + 1)} ${REDACTED}`
}
