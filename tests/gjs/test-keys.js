// SPDX-License-Identifier: MIT
// Parts of the value, as JavaScript has them: a store is used like a Map.

import Amnesia from 'gi://Amnesia?version=1';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';

import {
    assertEqual, assertRefused, assertThrows, conf, run, test, waitFor, withStores,
} from './testlib.js';

const {
    INVALID_KEY, INVALID_VALUE, NOT_A_DICTIONARY, TOO_BIG, TOO_MANY_KEYS,
} = Amnesia.Error;

const N_WRITES = 200;
const LONG = 'k'.repeat(256);

// What is equal whatever the order of its members.
function sorted(data) {
    return Object.fromEntries(Object.entries(data ?? {}).sort());
}

function assertData(store, expected) {
    assertEqual(sorted(store.data), sorted(expected));
}

test('set and get', () => {
    const store = new Amnesia.Store();

    assertEqual(store.set('volume', 0.4) === store, true);
    assertEqual(store.get('volume'), 0.4);
    assertEqual(store.data, {volume: 0.4});
    store.set('volume', 'loud').set('ünder', {a: [1]});
    assertData(store, {volume: 'loud', 'ünder': {a: [1]}});
    store.get('ünder').a[0] = 5;
    assertEqual(store.get('ünder').a, [1]);
});

test('the rest stays', () => {
    const store = new Amnesia.Store({data: {a: 1, b: 2}});

    store.set('b', 3);
    assertEqual(store.data, {a: 1, b: 3});
    store.data = {c: 4};
    assertEqual([...store], [['c', 4]]);
});

test('null is a value', () => {
    const store = new Amnesia.Store();

    store.set('a', null).set('b').set('c', undefined);
    for (const key of ['a', 'b', 'c']) {
        assertEqual([store.has(key), store.get(key)], [true, null]);
        assertEqual(store.get_key(key).get_type_string(), 'mv');
    }
});

test('a variant is taken as it is', () => {
    const store = new Amnesia.Store();

    store.set('a', GLib.Variant.new_uint32(5));
    assertEqual([store.get('a'), store.get_key('a').get_type_string()], [5, 'u']);
});

test('a double stays one', () => {
    const store = new Amnesia.Store({data: {a: 0.5, b: [0.5]}});
    const check = text => assertEqual(store.get_data().print(true), text);

    store.set('a', 1);
    check("{'a': <1.0>, 'b': <[<0.5>]>}");
    store.set('b', [2, 3]);
    check("{'a': <1.0>, 'b': <[<2.0>, <int64 3>]>}");
    store.assign({a: 4, c: 5});
    check("{'a': <4.0>, 'b': <[<2.0>, <int64 3>]>, 'c': <int64 5>}");
    store.delete('a');
    store.set('a', 1);
    assertEqual(store.get_key('a').print(true), 'int64 1');
});

test('what is not there', () => {
    const store = new Amnesia.Store();

    for (const data of [null, 5, {}, {b: 1}, {'': 1}, {[LONG]: 1}, {'\ufffd': 1}]) {
        store.data = data;
        for (const key of ['a', '', LONG, 'b\0', '\ud800', 'toString', '__proto__']) {
            assertEqual(store.get(key), undefined);
            assertEqual([store.has(key), store.delete(key)], [false, false]);
        }
        assertEqual(store.data, data);
    }
});

test('delete', () => {
    const store = new Amnesia.Store({data: {a: 1, b: 2}});

    assertEqual(store.delete('a'), true);
    assertEqual(store.data, {b: 2});
    assertEqual(store.delete('b'), true);
    assertEqual(store.delete('b'), false);
    assertEqual(store.data, {});
});

test('iteration', () => {
    const store = new Amnesia.Store({data: {b: 1, a: [2], '': 3, [LONG]: 4}});
    const seen = [];

    assertEqual(store.size, 2);
    assertEqual([...store.keys()], ['a', 'b']);
    assertEqual([...store.values()], [[2], 1]);
    assertEqual([...store.entries()], [['a', [2]], ['b', 1]]);
    assertEqual([...store], [['a', [2]], ['b', 1]]);
    assertEqual(new Map(store).get('b'), 1);
    store.forEach(function (value, key, map) {
        seen.push([value, key, map === store, this.it]);
    }, {it: 'self'});
    assertEqual(seen, [[[2], 'a', true, 'self'], [1, 'b', true, 'self']]);
});

test('iteration while it changes', () => {
    const store = new Amnesia.Store({data: {a: 1, b: 2}});

    for (const key of store.keys())
        store.delete(key);
    assertEqual(store.size, 0);
    store.data = {a: 1, b: 2};
    for (const [key] of store) {
        store.data = null;
        store.set(`${key}x`, 1);
    }
    assertEqual([...store.keys()], ['bx']);
});

test('nothing in it', () => {
    const store = new Amnesia.Store();

    for (const data of [null, 5, {}]) {
        store.data = data;
        assertEqual([store.size, [...store], [...store.values()]], [0, [], []]);
    }
});

test('assign: several at once', async () => {
    const store = new Amnesia.Store();
    const seen = [];

    store.connect('changed', () => seen.push(sorted(store.data)));
    assertEqual(store.assign({a: 1, b: null, d: undefined}) === store, true);
    store.assign({a: 2, c: [3]});
    store.assign(new GLib.Variant('a{sv}', {e: GLib.Variant.new_uint32(6)}));
    store.assign({});
    assertEqual(seen, [{a: 1, b: null}, {a: 2, b: null, c: [3]}, {a: 2, b: null, c: [3], e: 6}]);
    assertEqual(store.get_key('e').get_type_string(), 'u');
    const before = store.data;

    await assertRefused(() => store.assign({a: 5, [LONG]: 1}), INVALID_KEY, '255');
    await assertThrows(() => store.assign({a: 5, b: () => 0}), TypeError, 'data["b"] is of type f');
    for (const value of [null, undefined, 5, 'a', [1], new Map(), GLib.Variant.new_int32(1)])
        await assertThrows(() => store.assign(value), TypeError, 'the keys are of type');
    assertEqual(store.data, before);
});

test('set of GObject', () => {
    const store = new Amnesia.Store();

    store.set({close_timeout: 5, data: {a: 1}});
    assertEqual([store.close_timeout, store.data], [5, {a: 1}]);
});

test('wrong keys', async () => {
    const store = new Amnesia.Store();

    for (const key of [5, undefined, null, true, Symbol('a')]) {
        for (const name of ['get', 'has', 'set', 'delete'])
            await assertThrows(() => store[name](key, 1), TypeError, 'a key is of type');
    }
    await assertThrows(() => store.get({}), TypeError, 'a key is of type Object');
    await assertThrows(() => store.set({}, 1), TypeError, 'a key is of type Object');
    await assertThrows(() => store.set(['a'], 1), TypeError, 'a key is of type Array');
    for (const key of ['', LONG, 'ä'.repeat(128)])
        await assertRefused(() => store.set(key, 1), INVALID_KEY, '255');
    await assertThrows(() => store.set('a\0', 1), TypeError, 'the key has the character U+0000');
    await assertThrows(() => store.set('\ud800', 1), TypeError, 'the key has half');
    store.set(`${'ä'.repeat(127)}a`, 1);
    assertEqual(store.size, 1);
});

test('refused', async () => {
    const store = new Amnesia.Store();

    await assertRefused(() => store.set('a', GLib.Variant.new_handle(0)), INVALID_VALUE, '“h”');
    await assertRefused(() => store.set('a', new Uint8Array((16 << 20) + 1)), TOO_BIG, '16777216');
    await assertThrows(() => store.set('a', new Date()), TypeError, 'data["a"] is of type Date');
    await assertThrows(() => store.set('a', [0, new Date()]), TypeError, 'data["a"][1] is of');
    await assertThrows(() => store.set('a', 2n ** 64n), RangeError, 'data["a"] is 1844');
    assertEqual(store.data, null);
});

test('not a dictionary', async () => {
    const store = new Amnesia.Store({data: 5});

    await assertRefused(() => store.set('a', 1), NOT_A_DICTIONARY, 'x');
    await assertRefused(() => store.assign({a: 1}), NOT_A_DICTIONARY, 'x');
    await assertRefused(() => store.remove_key('a'), NOT_A_DICTIONARY, 'x');
    assertEqual(store.data, 5);
    store.data = null;
    store.set('a', 1);
});

test('too many', async () => {
    const store = new Amnesia.Store();
    const numbers = Array.from({length: 4096}, (_, i) => i);

    store.assign(Object.fromEntries(numbers.map(i => [`k${i}`, i])));
    assertEqual([store.size, store.get('k4095')], [4096, 4095]);
    await assertRefused(() => store.set('one more', 1), TOO_MANY_KEYS, '4096');
    store.delete('k0');
    await assertRefused(() => store.set('one more', 1), TOO_MANY_KEYS, '4096');
    store.data = Object.fromEntries(store);
    store.set('one more', 1);
});

test('the functions of C', () => {
    const store = new Amnesia.Store();

    assertEqual(store.set_key('a', GLib.Variant.new_int32(1)), true);
    assertEqual([store.has_key('a'), store.get_key('a').get_int32()], [true, 1]);
    assertEqual(store.set_keys(new GLib.Variant('a{sv}', {b: GLib.Variant.new_int32(2)})), true);
    assertEqual(store.list_keys(), ['a', 'b']);
    assertEqual([store.remove_key('a'), store.remove_key('a')], [true, true]);
    assertEqual([store.get_key('a'), store.has_key('a'), store.list_keys()], [null, false, ['b']]);
});

const Prefixed = GObject.registerClass(class Prefixed extends Amnesia.Store {
    get(key) {
        return super.get(`name-${key}`);
    }
});

test('a derived class', () => {
    const store = new Prefixed({data: {'name-a': 1}});

    assertEqual([store.get('a'), store.has('name-a')], [1, true]);
});

// Returns the arguments of each emission, as it goes on.
function watch(store, signal) {
    const seen = [];

    store.connect(signal, (_, key, before, after, remote) => {
        seen.push([key, Amnesia.unpack(before), Amnesia.unpack(after), remote]);
    });
    return seen;
}

test('key-changed', () => {
    const store = new Amnesia.Store();
    const seen = watch(store, 'key-changed');
    const volume = watch(store, 'key-changed::volume');
    const order = [];

    store.assign({b: 1, a: 2});
    store.set('a', 2);
    store.delete('a');
    store.data = {b: 3};
    assertEqual(seen, [
        ['a', null, 2, false], ['b', null, 1, false], ['a', 2, null, false], ['b', 1, 3, false],
    ]);
    assertEqual(volume, []);
    store.connect('key-changed', () => order.push('key'));
    store.connect('changed', () => order.push('changed'));
    store.set('volume', 0.5);
    assertEqual(volume, [['volume', null, 0.5, false]]);
    assertEqual(order, ['changed', 'key']);
});

test('key-changed from afar', () => withStores(2, async (a, b) => {
    const seen = watch(b, 'key-changed::a');

    a.assign({a: 1, b: 2});
    await waitFor(() => b.size === 2);
    assertEqual(seen, [['a', null, 1, true]]);
}));

function bothHave(a, b, expected) {
    const wanted = JSON.stringify(sorted(expected));

    return waitFor(() => [a, b].every(store => JSON.stringify(sorted(store.data)) === wanted));
}

test('both at once', () => withStores(2, async (a, b) => {
    a.set('a', 1);
    b.set('b', 2);
    await bothHave(a, b, {a: 1, b: 2});
    a.delete('b');
    b.set('a', 3);
    await bothHave(a, b, {a: 3});
    b.data = {c: 3};
    await bothHave(a, b, {c: 3});
}));

test('many at once', () => withStores(2, async (a, b) => {
    const expected = {};

    for (let i = 0; i < N_WRITES; i++) {
        a.set(`a${i % 10}`, i);
        b.set(`b${i % 10}`, i);
        expected[`a${i % 10}`] = expected[`b${i % 10}`] = i;
        if (i % 20 === 0)
            await new Promise(resolve => GLib.idle_add(GLib.PRIORITY_DEFAULT, resolve));
    }
    await bothHave(a, b, expected);
}));

function watchLost(...stores) {
    const lost = [];

    for (const store of stores) {
        store.connect('superseded', (_, key, mine, winner) => {
            lost.push([key, Amnesia.unpack(mine), Amnesia.unpack(winner)]);
        });
    }
    return lost;
}

test('superseded', () => withStores(2, async (a, b) => {
    const lost = watchLost(a, b);

    a.set('k', 'a');
    b.set('k', 'b');
    await waitFor(() => lost.length > 0);
    const [[key, mine, winner]] = lost;

    assertEqual([key, [mine, winner].sort()], ['k', ['a', 'b']]);
    await bothHave(a, b, {k: winner});
    lost.length = 0;
    a.data = 1;
    b.data = 2;
    await waitFor(() => lost.length > 0);
    assertEqual(lost.length, 1);
    assertEqual([lost[0][0], lost[0].slice(1).sort()], [null, [1, 2]]);
}));

test('not superseded', () => withStores(2, async (a, b) => {
    const lost = watchLost(a, b);

    a.set('k', 1);
    await bothHave(a, b, {k: 1});
    b.set('k', 2);
    await bothHave(a, b, {k: 2});
    assertEqual(lost, []);
}));

// Something of an application, whose properties are bound.
const Label = GObject.registerClass({
    GTypeName: 'TestLabel',
    Properties: {
        text: GObject.ParamSpec.string('text', null, null, GObject.ParamFlags.READWRITE, ''),
        on: GObject.ParamSpec.boolean('on', null, null, GObject.ParamFlags.READWRITE, false),
    },
}, class Label extends GObject.Object {});

const {BIDIRECTIONAL, SYNC_CREATE} = GObject.BindingFlags;

test('properties of the store bound by GObject', async () => {
    const store = new Amnesia.Store({data: {a: 1}});
    const other = new Amnesia.Store();
    const label = new Label();

    store.bind_property('data', other, 'data', SYNC_CREATE | BIDIRECTIONAL);
    assertEqual(other.data, {a: 1});
    store.set('a', 2);
    assertEqual(other.data, {a: 2});
    other.set('a', 3);
    assertEqual(store.data, {a: 3});
    store.bind_property('listening', label, 'text', SYNC_CREATE);
    store.conf = conf(1);
    await store.open();
    assertEqual(label.text, store.listening);
    await store.close();
    assertEqual(label.text, null);
});

test('properties of a peer bound by GObject', () => withStores(2, async (a, b) => {
    const label = new Label();

    a.peers.get_item(0).bind_property('in-sync', label, 'on', SYNC_CREATE);
    await waitFor(() => label.on);
    await b.close();
    await waitFor(() => !label.on);
}));

await run();
