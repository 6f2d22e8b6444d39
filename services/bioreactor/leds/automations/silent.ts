import { ledAutomation } from '../led-automation.js'

/** Source: Pioreactor 26.7. */
export const silent = ledAutomation(
  { name: 'silent', help: 'Leave the LEDs alone.', parameters: {} },
  { schedule: 'continuous', decide: () => ({}) },
)
