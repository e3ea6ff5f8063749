// What the declared types promise: this file only has to compile, and the lines marked must not.

import * as declared from '../types/index.js';
import * as written from '../src/index.js';

interface User { id: number; name: string; email: string | null }
interface Models { users: User }

// What is declared and what is written have the same names.
type Same<A, B> = [keyof A] extends [keyof B] ? ([keyof B] extends [keyof A] ? true : false) : false;
const exports: Same<typeof declared, typeof written> = true;
const members: Same<declared.BifrostClient, written.BifrostClient> = true;

export async function use(): Promise<unknown> {
  const client = new declared.BifrostClient<Models>('ws://127.0.0.1:1', 'token', { debug: true });
  const user: User = await client.create('users', { name: 'Ada' });
  const users: User[] = await client.read('users', { id__gte: 1, or: [{ name: 'Ada' }] }, { limit: 10 });
  const one: User | null = await client.read('users', 7);
  const rows = await client.read('users', { where: { name: 'Ada' }, order_by: '-id', fields: ['id'] });
  const next: string | undefined = rows.next;
  const sub = await client.subscribe('users', null, { onChange: ({ row }) => row?.email });
  // @ts-expect-error there is no such model
  await client.read('orders');
  // @ts-expect-error nor such a field
  await client.create('users', { nmae: 'Ada' });
  // @ts-expect-error nor such a hook
  client.registerHook('onConect', () => {});

  // Without models, everything goes.
  const any = await declared.createClient('ws://127.0.0.1:1', { autoReconnect: false });
  const anything: { whatever: string }[] = (await any.read('whatever', { x: 1 })) as any[];

  class Own extends declared.zBifrost {
    custom(data: unknown) {
      return this.send({ zKey: 'custom_command', zHorizontal: data });
    }
  }
  return [exports, members, user, users, one, next, sub, anything, new Own().custom(1)];
}
