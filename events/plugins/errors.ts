import { defineError } from '../core/errors.js'

export const InvalidPluginName = defineError(
  'plugin.invalid_name',
  'input',
  'What is to be installed or removed has no name that a plugin can have, or not exactly one.',
)

export const InvalidPluginSource = defineError(
  'plugin.invalid_source',
  'input',
  'A plugin cannot be installed from what the option source names.',
  {
    remediation:
      'Give an absolute path of a package (.tgz), a directory or a single file (.py, .js, .mjs), or an https address of a package.',
  },
)

/** Somebody has forbidden it by a file. The words are those that clients compare. */
export const InstallsDisallowed = defineError(
  'plugin.installs_disallowed',
  'state',
  'The file DISALLOW_UI_INSTALLS is there, so plugins are neither installed nor removed.',
  { remediation: 'Remove DISALLOW_UI_INSTALLS or install via SSH.' },
)
