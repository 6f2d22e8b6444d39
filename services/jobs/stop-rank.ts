/** What can do harm stops first: pumps, heat and PWM users, then automations, then the rest; LEDs last. Lower stops earlier. */
export function stopRank(jobName: string): number {
  if (jobName === 'led_intensity') return 4
  if (/pump|add_|remove_|circulate|temperature|heat|pwm/.test(jobName)) return 1
  if (jobName === 'stirring') return 1
  return jobName.endsWith('_automation') ? 2 : 3
}
