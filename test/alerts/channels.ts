import { type AlertChannel, alertChannelSchema } from '../../src/config/resources/alert-channel.ts';

/** A channel named `on-call`, of the format `json` unless told. */
export function channel(changes: Partial<AlertChannel> = {}): AlertChannel {
  return alertChannelSchema.parse({ name: 'on-call', url: 'https://alerts.example.net/hook', ...changes });
}
