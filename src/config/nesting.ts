import { z } from 'zod';

/** The schema for values of at most so many levels of JSON: nesting is bounded before anything recurses over it. */
export function boundNesting<T>(schema: z.ZodType, levels: number, refusal: string): z.ZodType<T> {
  // What preprocess returns says nothing of the value; the schema behind it does.
  return z.preprocess((value, context) => {
    if (!isDeeperThan(value, levels)) return value;
    context.addIssue({ code: 'custom', message: refusal });
    return z.NEVER;
  }, schema) as unknown as z.ZodType<T>;
}

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeperThan(part, levels - 1));
}
