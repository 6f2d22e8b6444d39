import { type ErrorFamily, LabError, toErrorRecord } from '../../events/core/errors.js'
import { type ErrorCode, errorCodes } from './error-codes.js'

/** A request that no handler gets to see, or that names something that does not exist. */
export class RequestRefused extends LabError {
  constructor(code: ErrorCode, message: string, remediation = '', details: Readonly<Record<string, unknown>> = {}) {
    super(code, 'input', message, { details, ...(remediation === '' ? {} : { remediation }) })
  }
}

const FAMILY_STATUS: Readonly<Record<ErrorFamily, number>> = { input: 400, state: 409, hardware: 503, defect: 500 }

const MALFORMED_PATH = ['request.malformed_path', 'The path holds an invalid percent encoding.'] as const

/** What router and file sender refuse by a status. */
const REFUSALS: ReadonlyMap<unknown, readonly [ErrorCode, string]> = new Map<unknown, readonly [ErrorCode, string]>([
  [400, MALFORMED_PATH],
  [404, ['request.not_found', 'There is no such file on this server.']],
  [412, ['request.precondition_failed', 'The file is not the one the request is conditional on.']],
  [416, ['request.invalid_range', 'The file has no bytes in this range.']],
])

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorCodes, code)

/** Any thrown value as a LabError; what is not one becomes `internal.error` with its message hidden. */
export function toLabError(error: unknown): LabError {
  if (error instanceof LabError && error.family !== 'defect') return error
  if (error instanceof URIError) return new RequestRefused(...MALFORMED_PATH)
  const refusal = error instanceof Error && 'status' in error ? REFUSALS.get(error.status) : undefined
  if (refusal !== undefined) return new RequestRefused(...refusal)
  const { code, message } = toErrorRecord(undefined)
  return new LabError(code, 'defect', message, { cause: error })
}

/** HTTP status of an error; a code without one goes by its family. */
export const statusOf = (error: LabError): number =>
  isErrorCode(error.code) ? errorCodes[error.code][0] : FAMILY_STATUS[error.family]
