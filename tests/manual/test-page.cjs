// SPDX-License-Identifier: MIT
// The tabs in the generated tutorial, in the DOM of jsdom. Run by node, where both are there.
'use strict';

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const {JSDOM} = require('jsdom');

const FOLDER = process.env.AMNESIA_MANUAL;
const SCRIPT = fs.readFileSync(path.join(FOLDER, 'urlmap.js'), 'utf8');
const HTML = fs.readFileSync(path.join(FOLDER, 'tutorial.html'), 'utf8').replace(/<script.*?<\/script>/g, '');

function open(memory, html = HTML) {
    const dom = new JSDOM(html, {runScripts: 'outside-only', url: 'https://manual.test/'});

    dom.window.scrollBy = () => {};
    if (memory)
        dom.window.localStorage.setItem('amnesia-language', memory);
    dom.window.eval(SCRIPT);
    dom.window.eval('makeAllTabs()');
    return dom.window;
}

function shown(window) {
    return [...window.document.querySelectorAll('[role=tabpanel]')].filter(panel => !panel.hidden);
}

function chosen(window) {
    const tabs = window.document.querySelectorAll('[role=tab][aria-selected=true]');

    return [...tabs].map(tab => tab.textContent);
}

function all(window, language) {
    const names = chosen(window);

    return names.length > 10 && names.every(name => name === language);
}

const window = open();
const {document} = window;
const groups = document.querySelectorAll('.tabs').length;

assert(groups > 10);
assert.strictEqual(document.querySelectorAll('[role=tab]').length, 4 * groups);
assert.strictEqual(shown(window).length, groups);
assert(all(window, 'Python'));
assert.match(shown(window)[0].textContent, /^import gi/);

// one click is for all of the page, and for the next
const first = document.querySelector('[role=tablist]').children;

first[1].click();
assert(all(window, 'JavaScript'));
assert.match(shown(window)[0].textContent, /gi:\/\/Amnesia/);
assert.strictEqual(document.activeElement, first[1]);
assert.strictEqual(window.localStorage.getItem('amnesia-language'), 'JavaScript');

// with the keyboard; one tab of each group is on the way of the Tab key
const press = key => document.activeElement.dispatchEvent(
    new window.KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));

press('End');
assert(all(window, 'C'));
assert.match(shown(window)[0].textContent, /amnesia_store_new/);
press('ArrowRight');
assert(all(window, 'Python'));
press('ArrowLeft');
assert.strictEqual(document.activeElement, first[3]);
assert.strictEqual(document.querySelectorAll('[role=tab][tabindex="0"]').length, groups);

// each tab belongs to what it shows
for (const tab of document.querySelectorAll('[role=tab]')) {
    const panel = document.getElementById(tab.getAttribute('aria-controls'));

    assert.strictEqual(panel.getAttribute('aria-label'), tab.textContent);
}

assert(all(open('Vala'), 'Vala'));
assert(all(open('Cobol'), 'Python'));

// the text that is there without a script stays there, and a page without groups is left alone
const before = new JSDOM(HTML).window.document.querySelectorAll('.codehilite').length;

assert.strictEqual(document.querySelectorAll('.codehilite').length, before);
assert.strictEqual(open(null, '<div class="docblock"><p>x</p></div>').document.querySelector('style'), null);

// a picture can be moved sideways where it is wider than the screen; text is left alone
const pictures = open(null, '<div class="docblock"><p><img src="a.svg"></p><p>text</p></div>');
const [picture, text] = pictures.document.querySelectorAll('p');

pictures.eval('keepPicturesLegible()');
assert.strictEqual(picture.style.overflowX, 'auto');
assert.match(picture.firstChild.style.minWidth, /^\d+em$/);
assert.strictEqual(text.getAttribute('style'), null);
console.log('all well');
