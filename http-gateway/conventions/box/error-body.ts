import type { LabError } from '../../../events/core/errors.js'

/** Body of the box API: readable by clients of both generations of the pyBEEP service, which looked for `code`, `message` and
 * `hint` at the top or inside `detail`. A list of issues stands in `detail` for schema errors. */
export function boxErrorBody(error: LabError): Readonly<Record<string, unknown>> {
  const summary = { code: error.code, message: error.message, hint: error.remediation ?? '' }
  const { issues, slots, errors } = error.details
  return {
    ...summary,
    detail: Array.isArray(issues) ? issues : summary,
    ...(Array.isArray(slots) && slots.length > 0 ? { slot: slots[0], slots } : {}),
    ...(errors === undefined ? {} : { errors }),
  }
}
