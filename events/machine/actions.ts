/** What the setting of the same name may allow. */
export const SYSTEM_ACTIONS = ['reboot', 'shutdown', 'clock', 'repair', 'web_server'] as const
export type SystemAction = (typeof SYSTEM_ACTIONS)[number]
