import { describe, expect, it } from 'vitest';
import { activatedSettings, activateSettings } from '../../../src/node/takeover/activated-settings.ts';
import type { InheritedSocket } from '../../../src/node/takeover/inherited-sockets.ts';
import { MAX_LISTEN_ADDRESSES } from '../../../src/settings/listen-addresses.ts';
import { parseSettings, type Settings } from '../../../src/settings.ts';

function settingsOf(...argv: readonly string[]): Settings {
  const result = parseSettings(argv, {}, { hostname: 'node-1' });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.value;
}

/** `dns udp 127.0.0.1:53`, from descriptor 3 on. */
function socketsOf(...texts: readonly string[]): readonly InheritedSocket[] {
  return texts.map((text, index) => {
    const [name = '', transport, where = ''] = text.split(' ');
    const [address = '', port] = where.split(':');
    return {
      name,
      transport: transport === 'udp' ? 'udp' : 'tcp',
      address,
      port: Number(port),
      descriptor: 3 + index,
    };
  });
}

describe('settings with sockets that were passed', () => {
  it('listens there instead of where the flags say', () => {
    const sockets = socketsOf('dns udp 127.0.0.1:53', 'dns tcp 127.0.0.1:53', 'api tcp 127.0.0.1:80');
    expect(activateSettings(settingsOf('--dns=127.0.0.2:53'), sockets)).toMatchObject({
      ok: true,
      value: {
        dns: [{ address: '127.0.0.1', port: 53, udp: 3, tcp: 4 }],
        api: [{ address: '127.0.0.1', port: 80, descriptor: 5 }],
      },
    });
  });

  const many = Array.from({ length: MAX_LISTEN_ADDRESSES + 1 }, (_, index) => 1000 + index);
  const crowds = [
    { name: 'for DNS', sockets: many.map((port) => `dns udp 127.0.0.1:${port}`), want: 'too-many-addresses' },
    {
      name: 'for the API',
      sockets: many.map((port) => `api tcp 127.0.0.1:${port}`),
      want: 'too-many-addresses',
    },
    {
      name: 'of UDP and TCP, on as many addresses as there may be',
      sockets: many.slice(1).flatMap((port) => [`dns udp 127.0.0.1:${port}`, `dns tcp 127.0.0.1:${port}`]),
      want: 'taken',
    },
  ];
  it.each(crowds)('with many $name: $want', ({ sockets, want }) => {
    const result = activateSettings(settingsOf(), socketsOf(...sockets));
    expect(result.ok ? 'taken' : result.problems.map(({ code }) => code).join()).toBe(want);
  });

  const mine = { LISTEN_FDS: '1', LISTEN_PID: String(process.pid) };
  const without = [
    { name: 'nothing passed', env: {}, want: 'taken' },
    { name: 'sockets of another process', env: { ...mine, LISTEN_PID: '1' }, want: 'taken' },
    { name: 'sockets passed', env: mine, want: 'addon-needed' },
  ];
  it.each(without)('without the addon, with $name: $want', ({ env, want }) => {
    const result = activatedSettings(settingsOf(), env, 'it was not built');
    expect(result.ok ? 'taken' : result.problems.map(({ code }) => code).join()).toBe(want);
  });
});
