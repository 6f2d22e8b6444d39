import { Type } from '@sinclair/typebox'

export const ErrorPayload = Type.Object({
  code: Type.String(),
  family: Type.Union((['input', 'state', 'hardware', 'defect'] as const).map((family) => Type.Literal(family))),
  message: Type.String(),
  remediation: Type.Optional(Type.String()),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})
