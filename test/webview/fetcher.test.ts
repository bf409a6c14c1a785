/** Windows are asked for one request at a time, five times a second at most, and only what is wanted now. */
import { describe, expect, test } from 'vitest';
import type { FromDashboard } from '../../src/core/messages.ts';
import type { MetricWindow } from '../../src/core/metricQuery.ts';
import type { Need } from '../../webview/charts/chartFigure.ts';
import { Fetcher, type Wanted } from '../../webview/charts/fetcher.ts';
import { wantedOf, wholeOf } from '../../webview/charts/queries.ts';

type Request = Extract<FromDashboard, { type: 'windows' }>;

/** A clock that a test moves, and what was sent. */
function bench() {
  const sent: (Request & { at: number })[] = [];
  let now = 0;
  let calls: { at: number; call: () => void }[] = [];
  const fetcher = new Fetcher((message) => sent.push({ ...(message as Request), at: now }), {
    now: () => now,
    later: (call, ms) => calls.push({ at: now + ms, call }),
  });
  const pass = (ms: number) => {
    const end = now + ms;
    for (;;) {
      const next = calls.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      calls = calls.filter((one) => one !== next);
      now = Math.max(now, next.at);
      next.call();
    }
    now = end;
  };
  const answer = (request: number | undefined, windows: (MetricWindow | null)[] = [empty]) =>
    fetcher.answer({ type: 'windows', request: request ?? -1, windows });
  return { fetcher, sent, pass, answer };
}

const none = new Float64Array();
const empty: MetricWindow = { level: 0, x0: none, x1: none, series: [], rows: 0, inside: 0 };
const wanted = (from: number, version = 1, missing: string[] = []): Wanted => ({
  run: 'r',
  query: { table: 'steps', names: ['loss.main'], axis: 'step', from, to: 10, buckets: 100 },
  version,
  whole: true,
  pixels: 100,
  missing,
});

describe('requests', () => {
  test('the first is sent at once, the next 200 ms later, and only after the answer', () => {
    const { fetcher, sent, pass, answer } = bench();
    fetcher.want([wanted(0)]);
    pass(0);
    expect(sent).toHaveLength(1);
    fetcher.want([wanted(1)]);
    pass(1000);
    expect(sent).toHaveLength(1);
    answer(sent[0]?.request);
    pass(0);
    fetcher.want([wanted(2)]);
    pass(150);
    expect(sent).toHaveLength(2);
    answer(sent[1]?.request);
    pass(200);
    expect(sent.map(({ at }) => at)).toEqual([0, 1000, 1200]);
  });
  test('what was wanted in between is never asked', () => {
    const { fetcher, sent, pass, answer } = bench();
    for (const from of [0, 1, 2, 3]) {
      fetcher.want([wanted(from)]);
      pass(10);
    }
    answer(sent[0]?.request);
    pass(500);
    expect(sent.map(({ queries }) => queries[0]?.query.from)).toEqual([0, 3]);
  });
  test('the same is asked again only where the table has grown', () => {
    const { fetcher, sent, pass, answer } = bench();
    fetcher.want([wanted(0)]);
    pass(0);
    answer(sent[0]?.request);
    fetcher.want([wanted(0)]);
    pass(1000);
    expect(sent).toHaveLength(1);
    fetcher.want([wanted(0, 2)]);
    pass(1000);
    expect(sent).toHaveLength(2);
  });
});

describe('the same is asked again', () => {
  const asked = (then: (fetcher: Fetcher, pass: (ms: number) => void) => void) => {
    const { fetcher, sent, pass, answer } = bench();
    fetcher.want([wanted(0, 1, ['loss'])]);
    pass(0);
    answer(sent[0]?.request);
    then(fetcher, pass);
    pass(1000);
    return sent.length;
  };
  test('for a chart that came later', () => {
    expect(asked((fetcher) => fetcher.want([wanted(0, 1, ['extra'])]))).toBe(2);
  });
  test('after it was not wanted: what held the numbers may be gone', () => {
    const emptied = (fetcher: Fetcher) => {
      fetcher.want([]);
      fetcher.want([wanted(0, 1, ['loss'])]);
    };
    expect(asked(emptied)).toBe(2);
  });
  test('but not for a chart that got nothing from it', () => {
    expect(asked((fetcher) => fetcher.want([wanted(0, 1, ['loss'])]))).toBe(1);
  });
});

describe('answers', () => {
  test('come with what they are of; a run that is not shown has none', () => {
    const { fetcher, sent, pass, answer } = bench();
    const [first, second] = [wanted(0), wanted(1)];
    fetcher.want([first, second]);
    pass(0);
    expect(answer(sent[0]?.request, [null, empty])).toEqual([{ wanted: second, window: empty }]);
  });
  test('to another request, or to one from before a change of runs or axis, are dropped', () => {
    const { fetcher, sent, pass, answer } = bench();
    fetcher.want([wanted(0)]);
    pass(0);
    expect(answer(99)).toEqual([]);
    fetcher.restart();
    expect(answer(sent[0]?.request)).toEqual([]);
  });
  test('one that never comes is not waited for for ever', () => {
    const { fetcher, sent, pass } = bench();
    fetcher.want([wanted(0)]);
    pass(11_000);
    expect(sent.length).toBe(2);
  });
});

describe('queries', () => {
  const facts = new Map([
    [
      'r',
      {
        steps: { names: [], rows: 50, extent: { epoch: [0.1, 8] as const } },
        epochs: { names: [], rows: 2, extent: { epoch: [1, 7] as const } },
        layers: { names: [], rows: 0, extent: {} },
      },
    ],
  ]);
  const need = (name: string, whole: Need['whole'], buckets = 400): Need => ({
    chart: name,
    run: 'r',
    table: 'steps',
    names: [name],
    buckets,
    whole,
  });
  const ask = (needs: Need[], range?: { from: number; to: number }) =>
    wantedOf(needs, 'epoch', range, { from: 0, to: 8 }, facts);

  test('the axis reaches from 0 to the newest point of any table', () => {
    const runs = [{ id: 'r', label: 'r', role: 'method', method: 'masksub', slot: 0 }] as const;
    expect(wholeOf({ runs, facts }, 'epoch')).toEqual({ from: 0, to: 8 });
    expect(wholeOf(undefined, 'epoch')).toBeUndefined();
  });
  test('charts of one width share a query', () => {
    const asked = ask([need('a', 'missing'), need('b', 'missing'), need('c', 'missing', 600)]);
    expect(asked.map(({ query }) => [query.names, query.buckets])).toEqual([
      [['a', 'b'], 400],
      [['c'], 600],
    ]);
  });
  test('a zoom asks for the part, as fine as there are pixels, with a margin', () => {
    const [part, ...others] = ask([need('a', 'coarse')], { from: 2, to: 4 });
    expect(part).toMatchObject({ whole: false, query: { from: 1, to: 5, buckets: 800 } });
    expect(others).toEqual([]);
  });
  test('and for the whole too while that is missing; for nothing but it where it has every point', () => {
    expect(ask([need('a', 'missing')], { from: 2, to: 4 }).map(({ whole }) => whole)).toEqual([true, false]);
    expect(ask([need('a', 'exact')], { from: 2, to: 4 }).map(({ whole }) => whole)).toEqual([true]);
  });
  test('an empty table is not asked', () => {
    expect(ask([{ ...need('a', 'missing'), table: 'layers' }])).toEqual([]);
  });
});
