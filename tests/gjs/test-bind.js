// SPDX-License-Identifier: MIT
// Keys bound to properties, and keys as actions, as JavaScript has them.

import System from 'system';

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';

import {assertEqual, assertThrows, conf, run, test, waitFor, withStores} from './testlib.js';

const {AFTER_SYNC, DEFAULT, GET, GET_NO_CHANGES, INVERT_BOOLEAN, SET} = Amnesia.BindFlags;
const {READWRITE} = GObject.ParamFlags;

// Something of an application, whose properties are bound.
const Widget = GObject.registerClass({
    GTypeName: 'TestWidget',
    Properties: {
        on: GObject.ParamSpec.boolean('on', null, null, READWRITE, false),
        number: GObject.ParamSpec.int('number', null, null, READWRITE, -100, 100, 0),
        level: GObject.ParamSpec.double('level', null, null, READWRITE, 0, 100, 0),
        text: GObject.ParamSpec.string('text', null, null, READWRITE, ''),
    },
}, class Widget extends GObject.Object {});

function begin(data = null) {
    return [new Amnesia.Store({data}), new Widget()];
}

test('bind both ways', () => {
    const [store, widget] = begin({volume: 0.4});

    store.bind('volume', widget, 'level');
    assertEqual(widget.level, 0.4);
    store.set('volume', 0.5);
    assertEqual(widget.level, 0.5);
    widget.level = 1;
    assertEqual(store.get_data().print(true), "{'volume': <1.0>}");
    store.delete('volume');
    assertEqual(widget.level, 1);
});

test('bind to what is not there', () => {
    const [store, widget] = begin();

    widget.text = 'mine';
    store.bind('name', widget, 'text');
    assertEqual([store.data, widget.text], [null, 'mine']);
    widget.text = 'typed';
    assertEqual(store.data, {name: 'typed'});
});

test('flags', () => {
    const [store, widget] = begin({on: true, text: 'a'});

    store.bind('on', widget, 'on', GET | INVERT_BOOLEAN);
    assertEqual(widget.on, false);
    store.set('on', false);
    assertEqual(widget.on, true);
    widget.on = false;
    assertEqual(store.get('on'), false);
    widget.number = 5;
    store.bind('number', widget, 'number', SET);
    store.set('number', 6);
    assertEqual([store.get('number'), widget.number], [6, 5]);
    store.bind('text', widget, 'text', GET | GET_NO_CHANGES);
    store.set('text', 'b');
    assertEqual(widget.text, 'a');
});

test('bind the whole value', () => {
    const [store, widget] = begin(5);

    store.bind(null, widget, 'number');
    assertEqual(widget.number, 5);
    widget.number = 6;
    assertEqual(store.data, 6);
});

test('a value that does not fit', () => {
    const [store, widget] = begin({number: 3.5});
    const lines = [];

    store.connect('log', (_, line) => lines.push(line));
    widget.number = 7;
    store.bind('number', widget, 'number');
    assertEqual([widget.number, lines.length], [7, 1]);
    // not a double that stays one
    store.set('number', GLib.Variant.new_int64(8));
    assertEqual(widget.number, 8);
});

test('unbind', () => {
    const [store, widget] = begin();

    store.bind('number', widget, 'number');
    Amnesia.Store.unbind(widget, 'number');
    Amnesia.Store.unbind(widget, 'number');
    store.set('number', 5);
    widget.number = 6;
    assertEqual(store.data, {number: 5});
});

test('wrong arguments', async () => {
    const [store, widget] = begin();

    await assertThrows(() => store.bind(5, widget, 'number'), TypeError, 'a key is of type number');
    await assertThrows(() => store.bind_with_mapping(5, widget, 'number'), TypeError, 'a key is of');
    await assertThrows(() => store.create_action(5, true), TypeError, 'a key is of type number');
    await assertThrows(() => store.create_action('a', new Date()), TypeError, 'default_state is');
    await assertThrows(() => store.create_action('a', null), Error, 'null');
    await assertThrows(() => store.bind('number', 5, 'number'), Error, '');
});

test('shared', () => withStores(2, async (a, b) => {
    const [mine, other] = [new Widget(), new Widget()];

    a.bind('text', mine, 'text');
    b.bind('text', other, 'text');
    mine.text = 'a';
    await waitFor(() => other.text === 'a');
    other.text = 'b';
    await waitFor(() => mine.text === 'b');
}));

test('AFTER_SYNC', async () => {
    const first = new Amnesia.Store({conf: conf(2), data: {number: 5}});

    await first.open();
    const late = new Amnesia.Store({conf: conf(2)});
    const widget = new Widget();

    late.bind('number', widget, 'number', AFTER_SYNC);
    widget.number = 6;
    await waitFor(() => widget.number === 5);
    assertEqual([late.data, first.data], [{number: 5}, {number: 5}]);
    await Promise.all([first.close(), late.close()]);
});

test('bind_with_mapping', () => {
    const [store, widget] = begin({key: ['a', {b: 1}]});
    const seen = [];

    store.bind_with_mapping('key', widget, 'text', DEFAULT, value => {
        seen.push(value);
        return JSON.stringify(value);
    }, text => ({text}));
    assertEqual(seen, [['a', {b: 1}]]);
    assertEqual(widget.text, '["a",{"b":1}]');
    widget.text = 'typed';
    assertEqual(store.data, {key: {text: 'typed'}});
});

test('bind_with_mapping: the whole value, and a double that stays one', () => {
    const [store, widget] = begin({a: 0.5});

    store.bind_with_mapping(null, widget, 'text', DEFAULT, data => `${data.a}`,
        text => ({a: Number(text)}));
    assertEqual(widget.text, '0.5');
    widget.text = '2';
    assertEqual(store.get_data().print(true), "{'a': <2.0>}");
    store.bind_with_mapping('a', widget, 'text', DEFAULT, null, text => Number(text));
    widget.text = '3';
    assertEqual(store.get_data().print(true), "{'a': <3.0>}");
});

test('bind_with_mapping: variants, and nothing', () => {
    const [store, widget] = begin();

    store.bind_with_mapping('key', widget, 'text', SET, null,
        text => text === '' ? null : GLib.Variant.new_uint32(text.length));
    assertEqual(store.data, null);
    widget.text = 'four';
    assertEqual(store.get_key('key').print(true), 'uint32 4');
    widget.text = '';
    assertEqual(store.data, {key: 4});
    store.bind_with_mapping('key', widget, 'number', GET, value => value * 2);
    assertEqual(widget.number, 8);
});

// In a function of its own, so that nothing of the stack holds what it made.
function bindAndDrop(store, seen) {
    const [kept, dropped] = [new Widget(), new Widget()];

    store.bind_with_mapping('key', kept, 'text', GET, value => `kept ${value}`);
    store.bind_with_mapping('key', dropped, 'text', GET, value => {
        seen.push(value);
        return '';
    });
    return kept;
}

test('bind_with_mapping: garbage is collected', async () => {
    const [store, seen] = [new Amnesia.Store(), []];
    const kept = bindAndDrop(store, seen);

    store.set('key', 1);
    assertEqual([kept.text, seen], ['kept 1', [1]]);
    // a wrapper goes with the turn of the loop that it was made in
    await waitFor(() => {
        System.gc();
        store.set('key', seen.length + 1);
        return seen[seen.length - 1] !== store.get('key');
    });
    assertEqual(kept.text, `kept ${store.get('key')}`);
});

test('bind_with_mapping: functions that throw', () => {
    const [store, widget] = begin({key: 1});
    const check = value => {
        if (value === 0 || value === '0')
            throw new Error('on purpose');
        return value;
    };

    store.bind_with_mapping('key', widget, 'text', DEFAULT, value => `${check(value)}`, check);
    assertEqual(widget.text, '1');
    for (let i = 0; i < 2; i++)
        GLib.test_expect_message('Gjs', GLib.LogLevelFlags.LEVEL_CRITICAL, '*on purpose*');
    store.set('key', 0);
    assertEqual(widget.text, '1');
    widget.text = '0';
    assertEqual(store.get('key'), 0);
    GLib.test_assert_expected_messages_internal('Gjs', 'test-bind.js', 0, '');
});

test('create_action: a switch', () => {
    const store = new Amnesia.Store();
    const action = store.create_action('lamp', false);

    assertEqual([action instanceof Gio.Action, action.get_name()], [true, 'lamp']);
    assertEqual(store.data, null);
    action.activate(null);
    assertEqual(store.get('lamp'), true);
    store.set('lamp', false);
    assertEqual(action.get_state().unpack(), false);
});

test('create_action: a choice, in a group', () => {
    const store = new Amnesia.Store();
    const action = store.create_action('mode', 'auto');
    const group = new Gio.SimpleActionGroup();

    group.add_action(action);
    assertEqual(action.get_state().unpack(), 'auto');
    group.activate_action('mode', GLib.Variant.new_string('manual'));
    assertEqual(store.get('mode'), 'manual');
    store.set('mode', 5);
    assertEqual(action.get_enabled(), false);
    assertEqual(store.create_action('n', GLib.Variant.new_uint32(5)).get_state_type().dup_string(),
        'u');
});

test('create_action: the type that the key has', () => {
    const store = new Amnesia.Store({data: {level: 0.5}});
    const action = store.create_action('level', 1);

    assertEqual([action.enabled, action.get_state_type().dup_string()], [true, 'd']);
    action.change_state(GLib.Variant.new_double(2));
    assertEqual(store.get('level'), 2);
});

await run();
