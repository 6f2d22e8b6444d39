/** Pioreactor's wide tables of what a unit measures and does, one row for each time, as views upon the narrow ones: nothing is kept twice, and nothing
 * overwrites anything. Pioreactor (26.7) keeps one optical density for each time, the last of several photodiodes; here `od_reading` is their mean, and each
 * has a column of its own. */

const each = (
  channels: readonly (string | number)[],
  column: (channel: string | number) => readonly [string, string],
) => Object.fromEntries(channels.map(column))

/** Table → column of the wide table → expression over the narrow one. */
const SOURCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  od_readings: {
    od_reading: 'od_reading',
    ...each([1, 2, 3, 4], (channel) => [`od_reading_${channel}`, `CASE channel WHEN ${channel} THEN od_reading END`]),
  },
  od_readings_fused: { od_fused: 'od_reading' },
  od_readings_filtered: { normalized_od_reading: 'normalized_od_reading' },
  temperature_readings: { temperature_c: 'temperature_c' },
  growth_rates: { growth_rate: 'rate' },
  stirring_rates: { measured_rpm: 'measured_rpm' },
  led_change_events: each(['A', 'B', 'C', 'D'], (channel) => [
    `led_${String(channel).toLowerCase()}_intensity_update`,
    `CASE channel WHEN '${channel}' THEN intensity END`,
  ]),
  dosing_events: each(['add_media', 'remove_waste', 'add_alt_media'], (event) => [
    `${event}_ml`,
    `CASE event WHEN '${event}' THEN volume_change_ml END`,
  ]),
}

const COLUMNS = Object.values(SOURCES).flatMap((columns) => Object.keys(columns))
const KEY = 'experiment, pioreactor_unit, timestamp'

const narrow = ([table, own]: readonly [string, Readonly<Record<string, string>>]): string =>
  `SELECT ${KEY}, ${COLUMNS.map((column) => `${own[column] ?? 'NULL'} AS ${column}`).join(', ')} FROM ${table}`

/** Doses of one moment add up. */
const combined = (column: string): string =>
  column.endsWith('_ml') ? `sum(${column})` : column === 'od_reading' ? 'avg(od_reading)' : `max(${column})`

const averaged = ['od_reading', 'od_fused', 'normalized_od_reading', 'temperature_c', 'growth_rate', 'measured_rpm']
const added = ['add_media_ml', 'remove_waste_ml', 'add_alt_media_ml']

export const activityViews: Readonly<Record<string, string>> = {
  pioreactor_unit_activity_data: `
    SELECT ${KEY}, ${COLUMNS.map((column) => `${combined(column)} AS ${column}`).join(', ')}
    FROM (${Object.entries(SOURCES).map(narrow).join(' UNION ALL ')})
    GROUP BY ${KEY}`,
  pioreactor_unit_activity_data_rollup: `
    SELECT experiment, pioreactor_unit, strftime('%Y-%m-%d %H:%M:00', timestamp) AS timestamp,
      ${averaged.map((column) => `avg(${column}) AS avg_${column}`).join(', ')},
      ${added.map((column) => `sum(${column}) AS sum_${column}`).join(', ')}
    FROM pioreactor_unit_activity_data
    GROUP BY experiment, pioreactor_unit, 3`,
}
