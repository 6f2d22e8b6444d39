/** What decides how an error is handled: the caller can fix it; not now; the device; ours. */
export type ErrorFamily = 'input' | 'state' | 'hardware' | 'defect'

export interface ErrorOptions {
  /** What the user can do about it. */
  readonly remediation?: string
  /** JSON-safe context: field, value, limit, unit. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** Every error that crosses a folder; thrown as one of its declarations. `code` is `<area>.<reason>` and is never reused for another meaning. */
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

/** What is said of an error once, beside the code that throws it. */
export interface ErrorDeclaration {
  readonly code: string
  readonly family: ErrorFamily
  /** One sentence for `docs/errors.md` and the API pages. */
  readonly meaning: string
}

/** A declared error: thrown with `new`, caught with `instanceof`. */
export interface DeclaredError extends ErrorDeclaration {
  new (message: string, options?: ErrorOptions): LabError
}

const declared = new Map<string, DeclaredError>()

/** Every error that the modules loaded so far declare, by code. */
export const declaredErrors = (): readonly DeclaredError[] =>
  [...declared.values()].sort((one, other) => (one.code < other.code ? -1 : 1))

/** Declares an error. Its status, its line in `docs/errors.md` and what the API pages say of it follow.
 *
 * ```ts
 * const VialMissing = defineError('vial.missing', 'state', 'There is no vial in the holder.', {
 *   remediation: 'Put a vial in.',
 * })
 * try {
 *   throw new VialMissing('Vial 3 is missing.', { details: { vial: 3 } })
 * } catch (error) {
 *   if (error instanceof VialMissing) print(error.code, error.message, error.remediation)
 * }
 * // vial.missing Vial 3 is missing. Put a vial in.
 * ```
 * @param code `<area>.<reason>` in lower case.
 * @param options.remediation for every error of the kind that brings none of its own.
 * @throws Error when the code is declared already. */
export function defineError(
  code: string,
  family: ErrorFamily,
  meaning: string,
  { remediation }: Pick<ErrorOptions, 'remediation'> = {},
): DeclaredError {
  if (!/^[a-z_]+\.[a-z0-9_]+$/.test(code)) throw new Error(`The error code '${code}' is not of the form area.reason.`)
  if (declared.has(code)) throw new Error(`The error code '${code}' is declared twice.`)
  const Declared = class extends LabError {
    static readonly code = code
    static readonly family = family
    static readonly meaning = meaning
    constructor(message: string, options: ErrorOptions = {}) {
      super(code, family, message, remediation === undefined ? options : { remediation, ...options })
    }
  }
  Object.defineProperty(Declared, 'name', { value: nameOf(code) })
  declared.set(code, Declared)
  return Declared
}

/** `job.not_running` → `JobNotRunning` */
const nameOf = (code: string): string =>
  code
    .split(/[._]/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')

/** A defect of ours. Its message is for the log alone. */
export const InternalError = defineError(
  'internal.error',
  'defect',
  'A defect of ours; the log has the details under the request id.',
)

/** A value from outside that a schema or a rule refuses. */
export const InvalidInput = defineError(
  'input.invalid',
  'input',
  'A value has the wrong type or is out of range; the message names field, value and limit.',
)

/** Whether an error is ours to mend: then its message is for the log alone. What is no LabError was not foreseen. */
export const isDefect = (error: unknown): boolean => !(error instanceof LabError) || error.family === 'defect'

/** Whether the caller can mend the error. */
export const isInputError = (error: unknown): error is LabError => error instanceof LabError && error.family === 'input'

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
  if (!(error instanceof LabError) || error.family === 'defect') {
    const { code, family } = InternalError
    return { code, family, message: 'An internal error occurred; the log has the details.' }
  }
  return {
    code: error.code,
    family: error.family,
    message: shortened(error.message),
    ...(error.remediation === undefined ? {} : { remediation: error.remediation }),
    ...(hasSmallDetails(error) ? { details: error.details } : {}),
  }
}

/** The error that a record tells of, as its declaration where this process has it. */
export function fromErrorRecord({ code, family, message, remediation, details }: ErrorRecord): LabError {
  const options = {
    ...(remediation === undefined ? {} : { remediation }),
    ...(details === undefined ? {} : { details }),
  }
  const Declared = declared.get(code)
  return Declared === undefined ? new LabError(code, family, message, options) : new Declared(message, options)
}

const hasSmallDetails = ({ details }: LabError): boolean =>
  Object.keys(details).length > 0 && JSON.stringify(details).length <= MAX_DETAILS
