import type { LabError } from '../../../events/core/errors.js'
import { statusOf } from '../../framework/errors.js'

/** Body of the unit API. Leaders discard a body with any other key, or whose status is not the response's. */
export function unitErrorBody(error: LabError): Readonly<Record<string, unknown>> {
  const { cause } = error.details
  return {
    error: error.message,
    cause: typeof cause === 'string' ? cause : error.message,
    ...(error.remediation === undefined ? {} : { remediation: error.remediation }),
    status: statusOf(error),
  }
}
