import { InvalidInput } from '../../../events/core/errors.js'

const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/

/** `2026-01-28T01:45:28.286Z`, with up to six digits of a second → µs since 1970. @throws InvalidInput */
export function parseClockTime(text: string): bigint {
  const [, whole = '', fraction = ''] = FORM.exec(text) ?? []
  const milliseconds = Date.parse(`${whole}Z`)
  // A day that there is not, such as the 31st of April, is read as another one.
  const isReal = Number.isFinite(milliseconds) && new Date(milliseconds).toISOString().startsWith(whole)
  if (whole !== '' && isReal) return BigInt(milliseconds) * 1000n + BigInt(fraction.padEnd(6, '0'))
  throw new InvalidInput('utc_clock_time is no time in UTC.', {
    remediation: 'Send utc_clock_time like 2026-01-28T01:45:28.286Z.',
    details: { field: 'utc_clock_time' },
  })
}
