import type { ErrorDeclaration } from '../../events/core/errors.js'
import { statusOf } from './errors.js'

/** Declared errors as the page `docs/errors.md`.
 * @param printed codes of those that are printed on the terminal and never come over HTTP. */
export function renderErrors(errors: readonly ErrorDeclaration[], printed: ReadonlySet<string>): string {
  const rows = errors.map((error) => {
    const status = printed.has(error.code) ? '–' : statusOf(error)
    return `| \`${error.code}\` | ${error.family} | ${status} | ${error.meaning} |`
  })
  return [
    '# Error codes',
    '',
    'Unit API bodies are `{ error, cause, remediation?, status }`; box API bodies carry `code`, `message`, `hint` and `detail`.',
    'The family says what can be done: *input* the caller can mend, *state* may be otherwise later, *hardware* is about a device, a *defect* is',
    'ours, and its message is in the log alone. The status is the answer of the APIs; errors of jobs and measurements mostly show in task',
    'results and run messages; those without a status are printed by the command line.',
    'Written from the declarations (`defineError`) in the source.',
    '',
    '| Code | Family | Status | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
