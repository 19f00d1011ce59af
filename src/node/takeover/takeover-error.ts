/** Why this process may not take over; a sentence for the operator. */
export class TakeoverError extends Error {
  override readonly name = 'TakeoverError';
}
