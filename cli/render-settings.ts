import { settings } from '../config.js'

/** Allowed values in words. */
function allowed(schema: Readonly<Record<string, unknown>>): string {
  const options = schema['enum']
  if (Array.isArray(options)) return options.map((option) => `\`${String(option)}\``).join(', ')
  const limits = [
    schema['minimum'] === undefined ? [] : [`≥ ${String(schema['minimum'])}`],
    schema['exclusiveMinimum'] === undefined ? [] : [`> ${String(schema['exclusiveMinimum'])}`],
    schema['maximum'] === undefined ? [] : [`≤ ${String(schema['maximum'])}`],
  ].flat()
  return [String(schema['type']), ...limits].join(' ')
}

/** The page of settings, written from their declarations. Defaults that depend on the machine are shown for a sample home. */
export function renderSettings(): string {
  const rows = Object.entries(settings).map(([variable, { schema, fallback, doc }]) => {
    const standard = variable === 'UNIT_NAME' ? 'host name' : String(fallback('$BENCHLOG_HOME'))
    return `| \`${variable}\` | ${standard === '' ? '(empty)' : `\`${standard}\``} | ${allowed(schema)} | ${doc} |`
  })
  return [
    '# Settings',
    '',
    'Environment variables, all optional. An empty one counts as absent.',
    '',
    '| Variable | Default | Allowed | Meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
