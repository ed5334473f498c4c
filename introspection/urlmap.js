// SPDX-License-Identifier: MIT
// Where the manual finds what is not in it; samples in four languages as tabs; pictures on a narrow screen.

/* exported baseURLs */
var baseURLs = [
    ['GLib', 'https://docs.gtk.org/glib/'],
    ['GObject', 'https://docs.gtk.org/gobject/'],
    ['Gio', 'https://docs.gtk.org/gio/'],
];

// In the pages four samples that follow each other are always these, in this order: there is nothing else
// by which to tell them.
const TAB_LANGUAGES = ['Python', 'JavaScript', 'Vala', 'C'];
const TAB_MEMORY = 'amnesia-language';
const TAB_STYLE = `
.tabs [role=tab] { font: inherit; padding: 0.3em 0.9em; border: 0; border-bottom: 3px solid transparent;
    background: none; color: inherit; cursor: pointer; }
.tabs [role=tab][aria-selected=true] { border-bottom-color: var(--primary); font-weight: bold; }
.tabs [role=tab]:focus-visible { outline: 2px solid var(--primary); outline-offset: -2px; }
.tabs [role=tabpanel][hidden] { display: none; }
@media print { .tabs [role=tabpanel][hidden] { display: block; } }
`;

// Where groups of samples begin, in a list that says of each element whether it is a sample.
function findTabGroups(isSample) {
    const starts = [];
    let length = 0;

    for (let i = 0; i <= isSample.length; i++) {
        if (isSample[i]) {
            length++;
            continue;
        }
        if (length === TAB_LANGUAGES.length)
            starts.push(i - length);
        length = 0;
    }
    return starts;
}

// To which tab a key leads from one.
function moveTab(key, index) {
    const n = TAB_LANGUAGES.length;

    switch (key) {
    case 'ArrowRight':
        return (index + 1) % n;
    case 'ArrowLeft':
        return (index + n - 1) % n;
    case 'Home':
        return 0;
    case 'End':
        return n - 1;
    default:
        return index;
    }
}

// A browser may refuse both.
function recallLanguage() {
    try {
        return Math.max(0, TAB_LANGUAGES.indexOf(localStorage.getItem(TAB_MEMORY)));
    } catch {
        return 0;
    }
}

function rememberLanguage(index) {
    try {
        localStorage.setItem(TAB_MEMORY, TAB_LANGUAGES[index]);
    } catch {
        // then it is this page's only
    }
}

function showLanguage(chosen) {
    for (const tab of document.querySelectorAll('.tabs [role=tab]')) {
        const isChosen = Number(tab.dataset.index) === chosen;

        tab.setAttribute('aria-selected', String(isChosen));
        tab.tabIndex = isChosen ? 0 : -1;
        document.getElementById(tab.getAttribute('aria-controls')).hidden = !isChosen;
    }
}

// The page does not move under who chooses, though what is above has another height now.
function chooseLanguage(index, tab) {
    const before = tab.getBoundingClientRect().top;

    rememberLanguage(index);
    showLanguage(index);
    window.scrollBy(0, tab.getBoundingClientRect().top - before);
    tab.focus({preventScroll: true});
}

function makeTab(list, panel, group, index) {
    const tab = document.createElement('button');

    panel.id = `tab-${group}-${index}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-label', TAB_LANGUAGES[index]);
    tab.type = 'button';
    tab.textContent = TAB_LANGUAGES[index];
    tab.dataset.index = index;
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-controls', panel.id);
    tab.addEventListener('click', () => chooseLanguage(index, tab));
    tab.addEventListener('keydown', event => {
        const next = moveTab(event.key, index);

        if (next === index)
            return;
        event.preventDefault();
        chooseLanguage(next, list.children[next]);
    });
    list.appendChild(tab);
}

function makeTabs(panels, group) {
    const tabs = document.createElement('div');
    const list = document.createElement('div');

    tabs.className = 'tabs';
    list.setAttribute('role', 'tablist');
    list.setAttribute('aria-label', 'Language');
    panels[0].parentNode.insertBefore(tabs, panels[0]);
    tabs.appendChild(list);
    panels.forEach((panel, index) => {
        tabs.appendChild(panel);
        makeTab(list, panel, group, index);
    });
}

// Without a script the samples stand below each other, as they are in the page.
function makeAllTabs() {
    let group = 0;

    for (const block of document.querySelectorAll('.docblock')) {
        const elements = [...block.children];
        const isSample = elements.map(element => element.classList.contains('codehilite'));

        for (const start of findTabGroups(isSample))
            makeTabs(elements.slice(start, start + TAB_LANGUAGES.length), group++);
    }
    if (group === 0)
        return;
    const style = document.createElement('style');

    style.textContent = TAB_STYLE;
    document.head.appendChild(style);
    showLanguage(recallLanguage());
}

// On a narrow screen a picture is moved sideways: smaller, the words in it could not be read.
function keepPicturesLegible() {
    for (const picture of document.querySelectorAll('.docblock p > img')) {
        picture.parentNode.style.overflowX = 'auto';
        picture.style.minWidth = '36em';
    }
}

if (typeof document !== 'undefined') {
    document.addEventListener('DOMContentLoaded', makeAllTabs);
    document.addEventListener('DOMContentLoaded', keepPicturesLegible);
}
