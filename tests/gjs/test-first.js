// SPDX-License-Identifier: MIT
// First values, as JavaScript has them: a default here, and what is set if nobody has set anything.

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

import {
    assertEqual, assertRefused, assertThrows, conf, run, test, waitFor, withStores,
} from './testlib.js';

const {INVALID_KEY, INVALID_VALUE, NOT_A_DICTIONARY, NOT_CONFIGURED} = Amnesia.Error;

// Calls the function with a store that has a configuration, and closes it.
async function withStore(properties, func) {
    const store = new Amnesia.Store(properties);

    try {
        await func(store);
    } finally {
        await store.close();
    }
}

test('default_data', () => {
    const store = new Amnesia.Store();
    const seen = [];
    let notified = 0;

    store.connect('changed', (_, before, after) => {
        seen.push([Amnesia.unpack(before), Amnesia.unpack(after)]);
    });
    store.connect('notify::default-data', () => notified++);
    assertEqual(store.default_data, null);
    store.default_data = {volume: 0.5};
    assertEqual([store.default_data, store.data], [{volume: 0.5}, {volume: 0.5}]);
    store.data = 1;
    store.data = null;
    assertEqual(store.data, {volume: 0.5});
    store.default_data = null;
    assertEqual(store.data, null);
    assertEqual(seen, [
        [null, {volume: 0.5}], [{volume: 0.5}, 1], [1, {volume: 0.5}], [{volume: 0.5}, null],
    ]);
    assertEqual(notified, 2);
});

test('default_data by all its names', () => {
    for (const name of ['default_data', 'defaultData', 'default-data']) {
        const store = new Amnesia.Store({[name]: {a: 1}});

        assertEqual([store.data, store[name]], [{a: 1}, {a: 1}]);
        store[name] = {a: 2};
        assertEqual(store.data, {a: 2});
    }
    const store = new Amnesia.Store({data: 6, default_data: 5});

    assertEqual([store.data, store.default_data], [6, 5]);
});

test('default_data: the functions of C, and what is wrong', async () => {
    const store = new Amnesia.Store();

    store.set_default_data(GLib.Variant.new_int32(5));
    assertEqual(store.get_default_data().get_type_string(), 'i');
    await assertThrows(() => {
        store.default_data = {a: new Date()};
    }, TypeError, 'default_data["a"] is of type Date');
    assertEqual(store.data, 5);
});

test('keys are laid over the default', () => {
    const store = new Amnesia.Store({default_data: {a: 1, b: 0.5}});

    store.set('b', 3);
    assertEqual(store.data, {a: 1, b: 3});
    // it is a double there
    assertEqual(store.get_key('b').get_type_string(), 'd');
    store.delete('a');
    assertEqual([...store], [['b', 3]]);
});

test('the default is not sent', () => withStores(2, async (a, b) => {
    a.default_data = {a: 1};
    a.set('b', 2);
    await waitFor(() => b.size > 0);
    assertEqual([a.data, b.data], [{a: 1, b: 2}, {b: 2}]);
}));

test('set_if_unset', () => withStore({conf: conf(1)}, async store => {
    assertEqual(await store.set_if_unset({volume: 0.5}), true);
    assertEqual(store.state, Amnesia.State.ALONE);
    assertEqual(await store.set_if_unset(2), false);
    assertEqual(store.data, {volume: 0.5});
}));

test('set_key_if_unset', () => withStore({conf: conf(1)}, async store => {
    assertEqual(await store.set_key_if_unset('a', 1), true);
    assertEqual(await store.set_key_if_unset('a', 2), false);
    assertEqual(await store.set_key_if_unset('b', null), true);
    assertEqual(await store.set_key_if_unset('c', GLib.Variant.new_uint32(5)), true);
    assertEqual(store.data, {a: 1, b: null, c: 5});
    assertEqual(store.get_key('c').get_type_string(), 'u');
    store.delete('a');
    assertEqual(await store.set_key_if_unset('a', 2), false);
    assertEqual(store.has('a'), false);
}));

test('set_if_unset with a callback', () => withStore({conf: conf(1)}, async store => {
    const results = [];

    store.set_if_unset_async(GLib.Variant.new_int32(1), null, (_, result) => {
        results.push(store.set_if_unset_finish(result));
    });
    await waitFor(() => results.length > 0);
    store.data = {};
    store.set_key_if_unset_async('a', GLib.Variant.new_int32(1), null, (_, result) => {
        results.push(store.set_key_if_unset_finish(result));
    });
    await waitFor(() => results.length > 1);
    assertEqual(results, [true, false]);
}));

test('a newcomer', () => withStore({conf: conf(2)}, async first => {
    assertEqual(await first.set_if_unset('first'), true);
    await withStore({conf: conf(2)}, async late => {
        assertEqual(await late.set_if_unset('late'), false);
        assertEqual(late.data, 'first');
    });
}));

test('any other value beats it', () => withStore({data: 'set before'}, async a => {
    await withStore({conf: conf(2)}, async b => {
        assertEqual(await b.set_if_unset('first'), true);
        a.conf = conf(2);
        await waitFor(() => b.data === 'set before');
    });
}));

test('promises are rejected', () => withStore({conf: conf(1)}, async store => {
    const handle = GLib.Variant.new_handle(0);
    const cancellable = new Gio.Cancellable();

    await assertRefused(() => new Amnesia.Store().set_if_unset(1), NOT_CONFIGURED, 'conf');
    await assertRefused(() => store.set_if_unset(handle), INVALID_VALUE, '“h”');
    await assertRefused(() => store.set_key_if_unset('', 1), INVALID_KEY, '255');
    cancellable.cancel();
    await assertThrows(() => store.set_if_unset(1, cancellable), Gio.IOErrorEnum, '');
    await assertThrows(() => store.set_key_if_unset('a', 1, cancellable), Gio.IOErrorEnum, '');
    assertEqual(store.data, null);
    store.data = 5;
    await assertRefused(() => store.set_key_if_unset('a', 1), NOT_A_DICTIONARY, 'x');
    // what is wrong with an argument does not throw at once, either
    const promises = [
        store.set_if_unset(new Date()),
        store.set_key_if_unset('a', new Date()),
        store.set_key_if_unset(5, 1),
    ];

    for (const promise of promises)
        await assertThrows(() => promise, TypeError, 'is of type');
    const nothing = store.set_if_unset(null);

    await assertThrows(() => nothing, Error, 'null');
}));

await run();
