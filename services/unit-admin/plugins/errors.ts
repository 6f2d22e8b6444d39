import { defineError } from '../../../events/core/errors.js'

export const PluginNotInstalled = defineError(
  'plugin.not_installed',
  'state',
  'A plugin could not be installed; what was installed before is as it was.',
)

export const NotAPlugin = defineError(
  'plugin.not_a_plugin',
  'input',
  'A package is no plugin of Benchlog, or another one than the order names.',
  { remediation: 'A package is a plugin when its package.json has the keyword benchlog-plugin.' },
)

export const PythonPackage = defineError(
  'plugin.python_package',
  'input',
  'The package is one of Python, which does not run here.',
  { remediation: 'Plugins are packages of npm, or single files; ask its author for one for Benchlog.' },
)

export const PluginNotRemoved = defineError(
  'plugin.not_removed',
  'state',
  'A plugin could not be removed from the disk; it is still installed.',
)
