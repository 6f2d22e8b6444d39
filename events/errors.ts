/** What decides how an error is handled: the caller can fix it; not now; the device; ours. */
export type ErrorFamily = 'input' | 'state' | 'hardware' | 'defect'

export interface ErrorOptions {
  /** What the user can do about it. */
  readonly remediation?: string
  /** JSON-safe context: field, value, limit, unit. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** Every error that crosses a folder. `code` is `<area>.<reason>` and is never reused for another meaning. */
export class LabError extends Error {
  readonly code: string
  readonly family: ErrorFamily
  readonly remediation: string | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: string, family: ErrorFamily, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.family = family
    this.remediation = options.remediation
    this.details = options.details ?? {}
  }
}

/** A value from outside that a schema or a rule refuses. */
export class InvalidInput extends LabError {
  constructor(message: string, options: ErrorOptions = {}, code = 'input.invalid') {
    super(code, 'input', message, options)
  }
}

/** The event log cannot be written (disk full, I/O error). Nothing was recorded. */
export class LogUnavailable extends LabError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('log.unavailable', 'state', message, options)
  }
}

/** No device acknowledged. */
export class NoDevice extends LabError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('hardware.no_device', 'hardware', message, options)
  }
}

/** A service did not answer a command in time. */
export class NoAnswer extends LabError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('services.no_answer', 'state', message, options)
  }
}

/** The wire form of an error inside command outcomes and task results. */
export interface ErrorRecord {
  readonly code: string
  readonly family: ErrorFamily
  readonly message: string
  readonly remediation?: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** An error may quote what was sent; its record must fit into a message whatever that was. */
const MAX_TEXT = 4000
const MAX_DETAILS = 64_000

const shortened = (text: string): string => (text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT)}…`)

/** Wire form of any thrown value; the message of a defect stays inside. A very long message is cut, very long details are left out. */
export function toErrorRecord(error: unknown): ErrorRecord {
  if (!(error instanceof LabError)) {
    return { code: 'internal.error', family: 'defect', message: 'An internal error occurred; the log has the details.' }
  }
  return {
    code: error.code,
    family: error.family,
    message: shortened(error.message),
    ...(error.remediation === undefined ? {} : { remediation: error.remediation }),
    ...(hasSmallDetails(error) ? { details: error.details } : {}),
  }
}

const hasSmallDetails = ({ details }: LabError): boolean =>
  Object.keys(details).length > 0 && JSON.stringify(details).length <= MAX_DETAILS
