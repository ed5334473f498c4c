// SPDX-License-Identifier: MIT
// What a program in JavaScript may do with the wrong things, in handlers, and in other locales.

import System from 'system';

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

import {
    assertEqual, assertThrows, conf, run, test, waitFor, withStores,
} from './testlib.js';

// The list to which each transition of the store will be added.
function changes(store) {
    const seen = [];

    store.connect('changed', (_, before, after, remote) => {
        seen.push([Amnesia.unpack(before), Amnesia.unpack(after), remote]);
    });
    return seen;
}

// --- V9: what handlers of `changed` may do; that they may throw is in test-store.js ---

test('V9 sets again', () => {
    const store = new Amnesia.Store();

    for (let i = 0; i < 3; i++) {
        store.connect('changed', (_, before, after) => {
            // the first of the three handlers that sees a value is to go on from there
            if (store.data < 30 && store.data === Amnesia.unpack(after))
                store.data++;
        });
    }
    const seen = changes(store);

    store.data = 0;
    assertEqual(store.data, 30);
    assertEqual(seen.map(([, after]) => after), Array.from({length: 31}, (_, index) => index));
    assertEqual(seen.slice(1).every(([before], index) => before === index), true);
});

test('V9 removes itself', () => {
    const store = new Amnesia.Store();
    const calls = [];
    const handler = store.connect('changed', () => {
        calls.push(store.data);
        store.disconnect(handler);
    });
    const seen = changes(store);

    store.data = 1;
    store.data = 2;
    assertEqual(calls, [1]);
    assertEqual(seen.length, 2);
});

test('V9 drops the last reference', async () => {
    const stores = [new Amnesia.Store({conf: conf(1)})];
    let called = 0;

    await stores[0].open();
    stores[0].connect('changed', () => {
        stores.length = 0;
        System.gc();
    });
    stores[0].connect('changed', () => called++);
    stores[0].write(GLib.Variant.new_int32(1));
    System.gc();
    assertEqual(called, 1);
});

test('V9 runs a nested loop', () => withStores(2, async (a, b) => {
    const seen = changes(a);

    await waitFor(() => b.state === Amnesia.State.SYNCED);
    a.connect('changed', (_, before, after) => {
        if (Amnesia.unpack(after) !== 1)
            return;
        while (b.data !== 1)
            GLib.MainContext.default().iteration(true);
        b.data = 2;
        while (a.data !== 2)
            GLib.MainContext.default().iteration(true);
    });
    a.data = 1;
    assertEqual(seen, [[null, 1, false], [1, 2, true]]);
}));

// --- A5 ---

test('A5 a value whose wrapper is collected', () => withStores(2, async (a, b) => {
    for (let i = 0; i < 20; i++) {
        a.set_data(new GLib.Variant('a{sv}', {i: GLib.Variant.new_int32(i)}));
        System.gc();
        await waitFor(() => b.data?.i === i);
        System.gc();
    }
    let value = GLib.Variant.new_string('kept by the store');

    a.set_data(value);
    value = null;
    System.gc();
    await waitFor(() => b.data === 'kept by the store');
}));

test('A5 a store that is collected while values come', () => withStores(1, async a => {
    for (let i = 0; i < 10; i++) {
        let other = new Amnesia.Store({conf: conf(2)});

        other.connect('changed', () => System.gc());
        await other.open();
        a.data = i;
        other.data = -i;
        other = null;
        System.gc();
        a.data = `after ${i}`;
    }
    assertEqual(a.data, 'after 9');
}));

test('A5 numbers', async () => {
    const store = new Amnesia.Store({data: 'before'});
    const type = () => store.get_data().get_type_string();

    store.data = 2 ** 53 + 2;
    assertEqual([store.data, type()], [2 ** 53 + 2, 'd']);
    store.data = 2n ** 53n + 1n;
    assertEqual([store.data, type()], [2n ** 53n + 1n, 'x']);
    store.data = 5e9;
    assertEqual([store.data, type()], [5e9, 'x']);
    // what GLib.Variant itself cuts is a value like any other by then
    store.data = new GLib.Variant('i', 5e9);
    assertEqual([store.data, type()], [705032704, 'i']);
    store.data = -0;
    assertEqual(store.data, 0);
    store.data = 'before';
    await assertThrows(() => {
        store.data = 2n ** 64n;
    }, RangeError, 'whole number');
    assertEqual(store.data, 'before');
});

test('A5 texts', async () => {
    const store = new Amnesia.Store({data: 'before'});

    for (const text of ['a\0b', '\0', '\ud800', 'x\udfff']) {
        for (const value of [text, [text], {a: text}, {[text]: 1}]) {
            await assertThrows(() => {
                store.data = value;
            }, TypeError, '');
            assertEqual(store.data, 'before');
        }
    }
    store.data = '\u{1f600}';
    assertEqual(store.data, '\u{1f600}');
});

test('A5 objects that lie', async () => {
    const store = new Amnesia.Store({data: 'before'});
    const lying = {
        get a() {
            throw new Error('on purpose');
        },
    };
    const growing = [];

    Object.defineProperty(growing, 0, {
        enumerable: true,
        get: () => [growing[0]],
    });
    for (const value of [lying, [lying], new Proxy({}, {ownKeys: () => lying.a})]) {
        await assertThrows(() => {
            store.data = value;
        }, Error, 'on purpose');
    }
    await assertThrows(() => {
        store.data = growing;
    }, Error, '');
    assertEqual(store.data, 'before');
});

test('V6 memory that changes', () => {
    const store = new Amnesia.Store();
    const memory = new Uint8Array([1, 2, 3]);

    store.data = memory;
    memory[0] = 99;
    assertEqual(store.data, new Uint8Array([1, 2, 3]));
});

// --- A11: a locale is set before the program begins, so it is another one ---

const PROGRAM = `
    imports.gi.versions.Amnesia = '1';
    const {Amnesia, GLib} = imports.gi;
    const store = new Amnesia.Store({conf: [{host: 'I.EXAMPLE', port: 7701}]});
    store.data = {I: 1.5, n: 1234567};
    GLib.chdir('/');
    GLib.setenv('LC_ALL', 'C', true);
    print(GLib.DateTime.new_utc(2024, 1, 1, 0, 0, 0).format('%A'), store.conf.get_peer(0)[1],
        Amnesia.to_json(store.get_data()), Amnesia.from_json('1234.5').get_double());
`;

for (const [locale, monday] of [['de_DE.UTF-8', 'Montag'], ['tr_TR.UTF-8', 'Pazartesi']]) {
    test(`A11 ${locale}`, () => {
        const launcher = new Gio.SubprocessLauncher({flags: Gio.SubprocessFlags.STDOUT_PIPE});

        launcher.setenv('LC_ALL', locale, true);
        const process = launcher.spawnv(['gjs', '-c', PROGRAM]);
        const [, output] = process.communicate_utf8(null, null);

        assertEqual(process.get_successful(), true);
        // where there is no such locale, it is the one of C
        assertEqual(output.trim().replace('Monday', monday),
            `${monday} i.example {"I":1.5,"n":1234567} 1234.5`);
    });
}

await run();
