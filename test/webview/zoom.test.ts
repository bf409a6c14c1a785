/** Zoom, pan, undo; keys; what is kept over a reload. */
import { describe, expect, test } from 'vitest';
import { keyAction } from '../../webview/charts/keys.ts';
import { noSaved, parseSaved } from '../../webview/charts/saved.ts';
import {
  around,
  follow,
  panned,
  redo,
  scaled,
  translated,
  undo,
  wholeZoom,
  zoomAfter,
  zoomTo,
} from '../../webview/charts/zoom.ts';

const whole = { from: 0, to: 100 };

describe('a zoom', () => {
  test('is undone and redone step by step', () => {
    const first = zoomTo(wholeZoom, { from: 10, to: 20 }, whole);
    const second = zoomTo(first, { from: 12, to: 14 }, whole);
    expect(undo(second, whole).range).toEqual({ from: 10, to: 20 });
    expect(undo(undo(second, whole), whole).range).toBeUndefined();
    expect(redo(undo(second, whole), whole).range).toEqual({ from: 12, to: 14 });
    expect(undo(wholeZoom, whole)).toBe(wholeZoom);
  });
  test('by many turns of a wheel is one step', () => {
    let zoom = zoomTo(wholeZoom, { from: 1, to: 99 }, whole);
    for (const from of [2, 3, 4]) zoom = zoomTo(zoom, { from, to: 100 - from }, whole, true);
    expect(zoom.range).toEqual({ from: 4, to: 96 });
    expect(undo(zoom, whole).range).toBeUndefined();
  });
  test('does not leave the whole; out to all of it is none', () => {
    expect(zoomTo(wholeZoom, { from: -50, to: 50 }, whole).range).toEqual({ from: 0, to: 50 });
    expect(zoomTo(wholeZoom, { from: -1, to: 101 }, whole).range).toBeUndefined();
    expect(zoomAfter({ type: 'zoom', factor: 2 }, wholeZoom, whole, undefined).range).toBeUndefined();
  });
  test('never comes to nothing', () => {
    const { range } = zoomTo(wholeZoom, { from: 5, to: 5 }, whole);
    expect((range?.to ?? 0) - (range?.from ?? 0)).toBeGreaterThan(0);
  });
  test('keeps the place under the cursor where it is', () => {
    expect(scaled({ from: 0, to: 100 }, 0.5, 20)).toEqual({ from: 10, to: 60 });
    expect(zoomAfter({ type: 'zoom', factor: 0.5 }, wholeZoom, whole, 20).range).toEqual({ from: 10, to: 60 });
  });
  test('pans to the edge and no further', () => {
    expect(panned({ from: 10, to: 20 }, 0.5, whole)).toEqual({ from: 15, to: 25 });
    expect(panned({ from: 85, to: 95 }, 5, whole)).toEqual({ from: 90, to: 100 });
  });
  test('jumps to a place', () => {
    expect(around(50, whole, 0.1)).toEqual({ from: 45, to: 55 });
    expect(around(0, whole, 0.1)).toEqual({ from: 0, to: 10 });
  });
});

describe('while the runs grow', () => {
  const grown = { from: 0, to: 110 };
  test('a zoom to the newest point follows it', () => {
    const zoom = zoomTo(wholeZoom, { from: 80, to: 100 }, whole);
    expect(follow(zoom, whole, grown).range).toEqual({ from: 90, to: 110 });
  });
  test('any other stays', () => {
    const zoom = zoomTo(wholeZoom, { from: 20, to: 40 }, whole);
    expect(follow(zoom, whole, grown)).toBe(zoom);
    expect(follow(wholeZoom, whole, grown)).toBe(wholeZoom);
  });
});

test('along another axis it is the same share', () => {
  const zoom = zoomTo(wholeZoom, { from: 20, to: 40 }, whole);
  expect(translated(zoom, whole, { from: 0, to: 5 }).range).toEqual({ from: 1, to: 2 });
});

test('keys', () => {
  const press = (key: string, held: Partial<Record<'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey', boolean>> = {}) =>
    keyAction({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...held });
  expect(press('ArrowRight')).toEqual({ type: 'walk', by: 1 });
  expect(press('ArrowRight', { shiftKey: true })).toEqual({ type: 'pan', share: 0.2 });
  expect(press('Home')).toEqual({ type: 'end', side: 'first' });
  expect(press('+')).toEqual({ type: 'zoom', factor: 0.5 });
  expect(press('0')).toEqual({ type: 'whole' });
  expect(press('Backspace')).toEqual({ type: 'undo' });
  expect(press('Backspace', { shiftKey: true })).toEqual({ type: 'redo' });
  expect(press('+', { ctrlKey: true })).toBeUndefined(); // the editor's own
  expect(press('a')).toBeUndefined();
});

describe('what is saved', () => {
  const saved = {
    axis: 'flops',
    smoothing: 0.05,
    range: { from: 1, to: 2 },
    second: true,
    extras: [{ table: 'steps', name: 'loss.total' }],
    charts: { loss: { log: true, hidden: ['method:loss.sub'] }, layers: { number: 'cosine', run: 'r' } },
  };
  test('comes back', () => expect(parseSaved(JSON.parse(JSON.stringify(saved)))).toEqual(saved));
  test('is left out where it makes no sense', () => {
    for (const value of [undefined, null, 7, 'x', [], { axis: 'moon', smoothing: 9, range: { from: 2, to: 1 } }]) {
      expect(parseSaved(value)).toEqual(noSaved);
    }
    expect(
      parseSaved({ charts: { loss: { log: 'yes', hidden: [1, 'a'] } }, extras: [{ table: 'x', name: 'y' }, 3] }),
    ).toEqual({
      ...noSaved,
      charts: { loss: { hidden: ['a'] } },
    });
  });
});
