import type { JobDefinition } from '../events/core/define-job.js'
import { encodeValue } from '../events/core/values.js'
import { jobDefinitions } from '../services/bioreactor/index.js'
import { settings } from '../settings.js'
import { allowedValues } from './render-schema.js'

/** The page of settings, written from their declarations. Defaults that depend on the machine are shown for a sample home. */
export function renderSettings(): string {
  const rows = Object.entries(settings).map(([variable, { schema, fallback, doc }]) => {
    const standard = variable === 'UNIT_NAME' ? 'host name' : String(fallback('$BENCHLOG_HOME'))
    return `| \`${variable}\` | ${standard === '' ? '(empty)' : `\`${standard}\``} | ${allowedValues(schema)} | ${doc} |`
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
    '## Configuration of the jobs',
    '',
    'Values in `config.ini` and `unit_config.ini` of `DOT_PIOREACTOR` (the latter wins), and in the `config_overrides` of a start. What a start says',
    'itself, as an option, goes first. A value that is not allowed is refused before the job starts, with the place it came from.',
    '',
    '| Section | Option | Default | Allowed | Job | Meaning |',
    '|---|---|---|---|---|---|',
    ...jobDefinitions.flatMap(configurationRows),
    '',
  ].join('\n')
}

const configurationRows = ({ name, parameters }: JobDefinition): readonly string[] =>
  Object.values(parameters).flatMap(({ config, schema, unit, keywords = [], doc, default: standard }) => {
    if (config === undefined) return []
    const [section, option] = config
    const allowed = [allowedValues(schema, unit), ...keywords.map((text) => `\`${text}\``)].join(' or ')
    const value = standard === undefined ? '(empty)' : `\`${encodeValue(standard)}\``
    return [`| \`${section}\` | \`${option}\` | ${value} | ${allowed} | ${name} | ${doc} |`]
  })
