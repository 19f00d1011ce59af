import type { Bodies, Contract } from '../../config/contract.ts';
import {
  type AlertChannel,
  keepUnshown,
  showAlertChannel,
  shownAlertChannelSchema,
} from '../../config/resources/alert-channel.ts';
import { API_OWNER, type ApiCollection } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { topLevelCollection } from '../top-level-collection.ts';

/** `/v1/alert-channels` */
export function alertChannelCollection(
  contract: Contract,
): ApiCollection<AlertChannel, Bodies['alertChannels']> {
  return topLevelCollection({
    noun: 'alert channel',
    one: 'AlertChannel',
    many: 'AlertChannels',
    segment: 'alert-channels',
    parameter: 'channel',
    parameterText: 'Name of the alert channel.',
    field: 'name',
    schema: contract.schemas.alertChannels,
    valueSchema: shownAlertChannelSchema,
    identify: plainIdentity('name'),
    collection: 'alertChannels',
    entries: (config) => config.alertChannels,
    toValue: (body) => body,
    toBody: (value) => value,
    show: showAlertChannel,
    keep: keepUnshown,
    changes: (key, value) => [{ collection: 'alertChannels', key, owner: API_OWNER, value }],
  });
}
