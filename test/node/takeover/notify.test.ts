import { describe, expect, it, vi } from 'vitest';
import { createNotifier } from '../../../src/node/takeover/notify.ts';
import { loadNative } from '../../../src/server/native.ts';

describe('what the service manager is told', () => {
  it('is nothing outside of a unit', () => {
    const failures: unknown[] = [];
    const notifier = createNotifier({}, (error) => failures.push(error));
    notifier.ready('x');
    notifier.stopping();
    expect(failures).toEqual([]);
  });

  it.skipIf('reason' in loadNative())('is a failure, told once, where nobody listens', () => {
    const failures: unknown[] = [];
    const notifier = createNotifier({ NOTIFY_SOCKET: '/nonexistent/notify' }, (error) =>
      failures.push(error),
    );
    notifier.ready('x');
    notifier.stopping();
    expect(failures.map(String)).toEqual([expect.stringMatching(/sendto/)]);
  });

  it('has signs of life only where they are asked of this process', () => {
    vi.useFakeTimers();
    try {
      const failures: unknown[] = [];
      const env = { NOTIFY_SOCKET: '/nonexistent/notify', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' };
      createNotifier(env, (error) => failures.push(error));
      expect(vi.getTimerCount()).toBe(0);
      const notifier = createNotifier({ ...env, WATCHDOG_PID: String(process.pid) }, () => undefined);
      expect(vi.getTimerCount()).toBe(1);
      notifier.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
