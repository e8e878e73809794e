import { describe, expect, it } from 'vitest';
import { LocalServiceSyntaxError, parseLocalService, parseLocalServices } from './localServices.ts';

describe('local services', () => {
  it.each([
    ['lamp.local=192.168.1.9', 'lamp.local', '192.168.1.9', null],
    ['Lamp.LOCAL=192.168.1.9:8123', 'lamp.local', '192.168.1.9', 8123],
    ['nas=[fd00::5]:443', 'nas', 'fd00::5', 443],
    ['nas=fd00::5', 'nas', 'fd00::5', null],
    ['api.openai.com=127.0.0.1:9443', 'api.openai.com', '127.0.0.1', 9443],
  ])('reads %s', (text, name, address, port) => {
    expect(parseLocalService(text)).toEqual([name, { address, port }]);
  });

  it.each([
    '',
    'lamp.local',
    '=1.2.3.4',
    'lamp.local=',
    'lamp.local=lamp',
    'lamp.local=1.2.3.4:0',
    'lamp.local=1.2.3.4:65536',
    'lamp.local=1.2.3.4:080',
    'lamp.local=1.2.3',
    'lamp.local=0x7f.1',
    'lamp.local=fe80::1%eth0',
    '*.local=1.2.3.4',
    'a b=1.2.3.4',
    'lamp.local=1.2.3.4 ',
  ])('refuses %j', (text) => expect(() => parseLocalService(text)).toThrow(LocalServiceSyntaxError));

  it('reads a comma list with spaces, and refuses a name given twice', () => {
    expect([...parseLocalServices(' a.local=10.0.0.1 , b.local=10.0.0.2:80,').keys()]).toEqual(['a.local', 'b.local']);
    expect(parseLocalServices('').size).toBe(0);
    expect(() => parseLocalServices('a.local=10.0.0.1,A.local=10.0.0.2')).toThrow('twice');
  });
});
