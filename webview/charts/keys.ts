/** What the keys do in a chart. */

import type { ZoomAction } from './zoom.ts';

export type KeyAction =
  | { readonly type: 'walk'; readonly by: number }
  | { readonly type: 'row'; readonly by: number }
  | { readonly type: 'end'; readonly side: 'first' | 'last' }
  | { readonly type: 'leave' }
  | ZoomAction;

type Key = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'ctrlKey' | 'metaKey' | 'altKey'>;

/** Nothing for a key that is not a chart's: the editor's own shortcuts go on to it. */
export function keyAction({ key, shiftKey, ctrlKey, metaKey, altKey }: Key): KeyAction | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  switch (key) {
    case 'ArrowLeft':
      return shiftKey ? { type: 'pan', share: -0.2 } : { type: 'walk', by: -1 };
    case 'ArrowRight':
      return shiftKey ? { type: 'pan', share: 0.2 } : { type: 'walk', by: 1 };
    case 'ArrowUp':
      return { type: 'row', by: -1 };
    case 'ArrowDown':
      return { type: 'row', by: 1 };
    case 'PageUp':
      return { type: 'walk', by: -10 };
    case 'PageDown':
      return { type: 'walk', by: 10 };
    case 'Home':
      return { type: 'end', side: 'first' };
    case 'End':
      return { type: 'end', side: 'last' };
    case '+':
    case '=':
      return { type: 'zoom', factor: 0.5 };
    case '-':
    case '_':
      return { type: 'zoom', factor: 2 };
    case '0':
      return { type: 'whole' };
    case 'Backspace':
      return { type: shiftKey ? 'redo' : 'undo' };
    case 'Escape':
      return { type: 'leave' };
    default:
      return undefined;
  }
}
