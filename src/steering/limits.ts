/** Levels of a policy tree, references inlined: deeper ones cannot be explained to anybody. */
export const MAX_POLICY_DEPTH = 8;

/** Nodes of a policy tree, references inlined; bounds the fan-out of policies that name the same policy often. */
export const MAX_POLICY_NODES = 1024;

/** Children or rules of one node: one per country and some prefixes. */
export const MAX_POLICY_CHILDREN = 256;

/** Values of one criterion of one geo rule: the prefixes of a large network. */
export const MAX_RULE_VALUES = 1024;

/** Data centers that one node may name; more than any order can hold would never be answered. */
export const MAX_RANKED_DATA_CENTERS = 256;
