/** Texts for a batch: token ids, segments and which places hold a token. */
import type { TextSet } from '../core/textSet.ts';
import type { SampleSource } from './sampleSource.ts';
import type { HostText } from './step/executor.ts';
import type { TextData } from './trainingData.ts';

export function textSource(data: TextData): SampleSource {
  const { length } = data;

  function textsOf({ ids, types, tokens }: TextSet, samples: Int32Array): HostText {
    const rowsOf = (values: Int32Array) => {
      const rows = new Int32Array(samples.length * length);
      samples.forEach((sample, i) => {
        rows.set(values.subarray(sample * length, (sample + 1) * length), i * length);
      });
      return rows;
    };
    const present = new Float32Array(samples.length * length);
    samples.forEach((sample, i) => {
      present.fill(1, i * length, i * length + (tokens[sample] as number));
    });
    return { kind: 'text', ids: rowsOf(ids), types: rowsOf(types), present, shape: [samples.length, length] };
  }

  return {
    size: length,
    training: async ({ samples }, target) => ({ input: textsOf(data.train, samples), target }),
    validation: async (samples) => textsOf(data.validation, samples),
    places: (set, sample) => data[set].tokens[sample] as number,
  };
}
