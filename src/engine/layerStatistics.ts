/** Gradient statistics of each layer: norms of the branches' gradients and the cosine between them. */
import type { EngineEvent } from '../core/events.ts';
import type { Method } from './methods/method.ts';
import type { Model } from './models/model.ts';
import type { StepGradients } from './step/executor.ts';

type LayerGradients = Extract<EngineEvent, { type: 'layers' }>['grad'];

/** Computed on the host in double precision; the norms are of the losses without their weights. */
export function layerStatistics(gradients: StepGradients, method: Method, model: Model): LayerGradients {
  const [first, second] = method.terms.map((term) => gradients.terms[term.branch]);
  const layers = [...new Set(model.parameters.map((spec) => spec.layer))];
  const main: Record<string, number> = {};
  const sub: Record<string, number> = {};
  const cosine: Record<string, number> = {};
  for (const layer of layers) {
    let [aa, bb, ab] = [0, 0, 0];
    for (const { name } of model.parameters.filter((spec) => spec.layer === layer)) {
      const a = first?.get(name) ?? new Float32Array(0);
      const b = second?.get(name);
      a.forEach((x, i) => {
        const y = b?.[i] ?? 0;
        aa += x * x;
        bb += y * y;
        ab += x * y;
      });
    }
    main[layer] = Math.sqrt(aa);
    sub[layer] = Math.sqrt(bb);
    cosine[layer] = ab / (Math.sqrt(aa * bb) || 1);
  }
  return method.terms.length > 1 ? { main, sub, cosine } : { main };
}
