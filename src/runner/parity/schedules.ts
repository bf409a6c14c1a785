/** Schedules and rates over depth, to nine digits. */

import * as z from 'zod';
import { dropPathRates, layerDecayScale, timmCosine, warmupCosine } from '../../core/schedules.ts';
import type { Check } from './check.ts';
import type { OracleIndex } from './oracle.ts';

const timm = z.object({
  args: z.object({
    base: z.number(),
    T: z.number(),
    lr_min: z.number(),
    warm: z.number(),
    warm_lr: z.number(),
    prefix: z.boolean(),
  }),
  t: z.array(z.number()),
  lr: z.array(z.number()),
});
const mae = z.object({
  args: z.object({ lr: z.number(), min_lr: z.number(), warm: z.number(), epochs: z.number() }),
  epoch: z.array(z.number()),
  lr: z.array(z.number()),
});

export function scheduleChecks(index: OracleIndex): Check[] {
  return Object.entries(index.units.schedules ?? {}).flatMap(([kind, specs]) =>
    Object.entries(specs).map(([name, spec]): Check => {
      const pairs = scheduled(kind, name, spec);
      return {
        name: `schedules/${kind}/${name}`,
        run: pairs
          ? (comparison) => {
              for (const [at, got, expected] of pairs)
                comparison.number(at, got, expected, 1e-9 * Math.abs(expected) || 1e-15);
            }
          : { unsupported: `this build has no schedule ${kind}` },
      };
    }),
  );
}

/** Name, our value and expected value of every point, or nothing for an unknown kind. */
function scheduled(kind: string, name: string, spec: unknown): [string, number, number][] | undefined {
  switch (kind) {
    case 'timm_cosine': {
      const { args, t, lr } = timm.parse(spec);
      const schedule = {
        learningRate: args.base,
        minLearningRate: args.lr_min,
        warmup: args.warm,
        warmupLearningRate: args.warm_lr,
        length: args.T,
        warmupPrefix: args.prefix,
      };
      return t.map((time, i) => [`t = ${time}`, timmCosine(time, schedule), lr[i] as number]);
    }
    case 'mae_cosine': {
      const { args, epoch, lr } = mae.parse(spec);
      const schedule = {
        learningRate: args.lr,
        minLearningRate: args.min_lr,
        warmupEpochs: args.warm,
        warmupLearningRate: 0,
        epochs: args.epochs,
      };
      return epoch.map((at, i) => [`epoch ${at}`, warmupCosine(at, schedule), lr[i] as number]);
    }
    case 'layer_lr_scale': {
      const [, depth, decay] = /^depth(\d+)_decay([\d.]+)$/.exec(name) ?? [];
      const scales = z.record(z.string(), z.number()).parse(spec);
      return Object.entries(scales).map(([parameter, scale]) => [
        parameter,
        layerDecayScale(parameter, Number(depth), Number(decay)),
        scale,
      ]);
    }
    case 'drop_path': {
      const [, shape, rate, blocks] = /^(linear|constant)_rate([\d.]+)_blocks(\d+)$/.exec(name) ?? [];
      const rates = dropPathRates(Number(rate), Number(blocks), shape as 'linear' | 'constant');
      return z
        .array(z.number())
        .parse(spec)
        .map((expected, i) => [`block ${i}`, rates[i] as number, expected]);
    }
    default:
      return undefined;
  }
}
