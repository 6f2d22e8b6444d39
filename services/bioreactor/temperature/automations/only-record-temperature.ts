import { temperatureAutomation } from '../temperature-automation.js'

/** Source: Pioreactor 26.7. */
export const onlyRecordTemperature = temperatureAutomation(
  { name: 'only_record_temperature', help: 'Measure the temperature and do not heat.', parameters: {} },
  {
    schedule: 'on_news',
    decide: ({ seen }) => ({
      event: { event_name: 'NoEvent', message: null, data: null },
      ...(seen.heater_duty_percent > 0 ? { want: { heater_duty_percent: 0 } } : {}),
    }),
  },
)
