/** Policy nodes as they are written in configuration, in few words. */

export const nearest = { kind: 'nearest' } as const;

export function order(...dataCenters: readonly string[]) {
  return { kind: 'order', dataCenters } as const;
}

export function failover(...levels: readonly unknown[]) {
  return { kind: 'failover', levels } as const;
}

export function weighted(...choices: readonly { readonly weight: number; readonly then: unknown }[]) {
  return { kind: 'weighted', choices } as const;
}

export function choice(weight: number, then: unknown) {
  return { weight, then } as const;
}

export function rule(match: object, then: unknown) {
  return { match, then } as const;
}

export function reference(name: string) {
  return { kind: 'policy', name } as const;
}
