import { checkReference, onlyWhenChanged, report } from './scope.ts';

/** Channels that could not tell anything, or that are to tell of what does not exist. */
export const checkAlertChannels = onlyWhenChanged(
  ['alertChannels', 'pools', 'dataCenters'],
  (scope): void => {
    for (const [name, { value, owner }] of scope.config.alertChannels) {
      const path = `alertChannels/${name}`;
      if ((value.format === 'pagerduty') !== (value.routingKey !== undefined)) {
        const message = 'A routing key is needed when, and only when, format is "pagerduty".';
        report(scope, owner, 'routing-key-mismatch', `${path}/routingKey`, message);
      }
      for (const pool of value.pools ?? [])
        checkReference(scope, owner, `${path}/pools`, 'The alert channel', 'pools', pool);
      for (const dataCenter of value.dataCenters ?? [])
        checkReference(scope, owner, `${path}/dataCenters`, 'The alert channel', 'dataCenters', dataCenter);
    }
  },
);
