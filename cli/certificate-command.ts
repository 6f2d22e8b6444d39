import { mkdirSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import { namesOf } from '../doors/hosts.js'
import { selfSigned } from '../doors/self-signed.js'
import { defineError, InvalidInput } from '../events/core/errors.js'
import type { Command } from './commands.js'
import { interfaceAddresses } from './doors.js'

const CertificateNotWritten = defineError(
  'tls.not_written',
  'state',
  'A file of the new certificate could not be written.',
)

/** The longest that all browsers and systems take. */
const MAX_DAYS = 825
const DAY_MS = 24 * 3600 * 1000

export const certificateCommand: Command = {
  options: {
    directory: { type: 'string', doc: 'Where cert.pem and key.pem go; by default tls in BENCHLOG_HOME.' },
    days: { type: 'string', doc: `How long it is valid, up to ${MAX_DAYS} days, which is the default.` },
  },
  async run({ config, options, print }) {
    const directory = String(options['directory'] ?? join(config.home, 'tls'))
    const days = daysOf(String(options['days'] ?? MAX_DAYS))
    const names = namesIn(config)
    const from = createClock().now()
    const until = new Date(from.getTime() + days * DAY_MS)
    const { cert, key } = selfSigned(names, from, until)
    const paths = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
    write(directory, [
      [paths.key, key],
      [paths.cert, cert],
    ])
    print(`A certificate until ${until.toISOString().slice(0, 10)} for ${names.join(', ')}.`)
    print('Start the unit with:')
    print(`  TLS_CERT=${paths.cert}`)
    print(`  TLS_KEY=${paths.key}`)
    print(`Clients trust it by ${paths.cert}: curl --cacert, mosquitto_sub --cafile, or an exception in the browser.`)
    return 0
  },
}

function daysOf(text: string): number {
  const days = Number(text)
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return days
  throw new InvalidInput(`--days is ${text}; it must be a whole number from 1 to ${MAX_DAYS}.`)
}

/** Every name and address under which the unit lets itself be reached. Link-local addresses mean nothing without an interface. */
function namesIn({ unit, host, allowedHosts }: Config): readonly string[] {
  const addresses = interfaceAddresses().filter((address) => !address.startsWith('fe80:'))
  const names = [...namesOf({ unit, machine: hostname() }), 'localhost', host, '127.0.0.1', '::1', ...addresses]
  const plain = [...names, ...allowedHosts].map((name) => name.replace(/^\[|\]$/g, ''))
  return [...new Set(plain)].filter((name) => !['0.0.0.0', '::'].includes(name) && (isIP(name) > 0 || NAME.test(name)))
}

/** As it may stand in a certificate. */
const NAME = /^[\w-]+(\.[\w-]+)*$/

/** A certificate in use is not replaced by chance. */
function write(directory: string, files: readonly (readonly [path: string, content: string])[]): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  for (const [path, content] of files) {
    try {
      writeFileSync(path, content, { mode: path.endsWith('key.pem') ? 0o600 : 0o644, flag: 'wx' })
    } catch (cause) {
      throw new CertificateNotWritten(`${path} was not written: ${(cause as Error).message}.`, {
        cause,
        remediation: 'Move the files that are there away, or name another --directory.',
      })
    }
  }
}
