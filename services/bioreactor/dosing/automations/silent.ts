import { dosingAutomation, withPumps } from '../dosing-automation.js'

/** Source: Pioreactor 26.7. */
export const silent = withPumps(
  [],
  dosingAutomation(
    { name: 'silent', help: 'Leave the pumps alone.', parameters: {} },
    { schedule: 'continuous', decide: () => ({}) },
  ),
)
