/** Weights at which everything matters; those that training starts from hide faults: biases of 0, a head of 2e-5. */
import { RandomStream } from '../../src/core/random.ts';
import { sizeOf } from '../../src/engine/parameters.ts';

/** Values of a parameter or buffer with which the logits are of order 1, and change when it does. */
export function livelyValues(name: string, shape: readonly number[], seed = 0): Float32Array {
  const stream = new RandomStream(seed, `lively/${name}`);
  const value = drawOf(name, shape, () => stream.normal());
  return Float32Array.from({ length: sizeOf({ shape }) }, value);
}

function drawOf(name: string, shape: readonly number[], normal: () => number): () => number {
  if (name.endsWith('running_var')) return () => Math.exp(0.3 * normal());
  if (/gamma(_\d)?$/.test(name)) return () => 0.6 + 0.2 * normal();
  if (shape.length === 1 && name.endsWith('.weight')) return () => 1 + 0.2 * normal(); // of a norm
  if (/embed|token|table/.test(name) && !name.endsWith('.proj.weight')) return () => 0.5 * normal();
  if (shape.length === 1) return () => 0.3 * normal();
  const fanIn = sizeOf({ shape: shape.slice(1) });
  const gain = /(^|\.)(head|fc|classifier)\.weight$/.test(name) ? 3 : 1;
  return () => (gain * normal()) / Math.sqrt(fanIn);
}
