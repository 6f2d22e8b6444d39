import { ProgramFailure, type ProgramOptions, type ProgramResult, runProgram } from '../runtime/run-program.js'
import { ShareTimeout, ShareUnsupported } from './errors.js'

export type CommandResult = ProgramResult

/** Runs a program with an argument vector; no shell reads it. */
export type RunCommand = (program: string, args: readonly string[], options: ProgramOptions) => Promise<CommandResult>

/** @throws ShareTimeout when it took too long, ShareUnsupported when there is no such program. */
export const runCommand: RunCommand = async (program, args, options) => {
  try {
    return await runProgram(program, args, options)
  } catch (cause) {
    if (!(cause instanceof ProgramFailure)) throw cause
    if (cause.reason === 'late') throw new ShareTimeout(cause.message, { cause })
    throw new ShareUnsupported(cause.message, { cause })
  }
}
