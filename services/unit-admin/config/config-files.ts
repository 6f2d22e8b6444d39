import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { ConfigFile } from '../../../events/config/config.js'
import { MalformedConfig } from '../../../events/config/errors.js'
import { type IniSections, type ParseIniOptions, parseIni } from './ini.js'

const { O_RDONLY, O_NONBLOCK } = constants

/** Besides tab and ends of lines. They belong into no setting, and would make events longer than messages can be. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** A unit's configuration has about 5000 bytes. */
const MAX_CONFIG_BYTES = 128 * 1024

/** Text of a configuration file as it is; empty when there is none. @throws MalformedConfig for what is no file, and for one that is too long */
export async function readConfigText(dotPioreactor: string, name: ConfigFile): Promise<string> {
  const path = join(dotPioreactor, name)
  // What is a directory, or waits for somebody to write, must not hold anybody up.
  const file = await open(path, O_RDONLY | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw new MalformedConfig(`${name} cannot be opened: ${error.code ?? error.message}.`, { details: { file: name } })
  })
  if (file === null) return ''
  try {
    const info = await file.stat()
    if (!info.isFile()) throw new MalformedConfig(`${name} is not a file.`, { details: { file: name } })
    checkSize(name, info.size)
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/** @throws MalformedConfig naming file and line. */
export function parseConfig(name: ConfigFile, text: string, options: ParseIniOptions = {}): IniSections {
  checkSize(name, Buffer.byteLength(text))
  try {
    const control = CONTROL.exec(text)
    if (control !== null) {
      const line = text.slice(0, control.index).split('\n').length
      throw new MalformedConfig(`Line ${line}: it holds a control character.`, { details: { line } })
    }
    return parseIni(text, options)
  } catch (cause) {
    if (!(cause instanceof MalformedConfig)) throw cause
    throw new MalformedConfig(`${name}: ${cause.message}`, { cause, details: { ...cause.details, file: name } })
  }
}

function checkSize(name: ConfigFile, bytes: number): void {
  if (bytes <= MAX_CONFIG_BYTES) return
  throw new MalformedConfig(`${name} has ${bytes} bytes; it may have at most ${MAX_CONFIG_BYTES}.`, {
    details: { file: name, bytes, limit: MAX_CONFIG_BYTES },
  })
}
