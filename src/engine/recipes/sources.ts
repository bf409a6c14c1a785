/** Where the numbers of the recipes come from, and the form in which a value says so. */

export const sourceKinds = {
  code: 'reference code',
  readme: 'README of the paper’s code',
  base: 'base recipe (not confirmed for the MaskSub run)',
  paper: 'paper',
  own: 'own choice: not published',
} as const;

export interface Source {
  readonly title: string;
  readonly link?: string;
  readonly kind: keyof typeof sourceKinds;
}

export const sources = {
  readme: {
    title: 'commands of the paper’s code, in its README',
    link: 'https://github.com/naver-ai/augsub',
    kind: 'readme',
  },
  code: {
    title: 'scripts of the paper’s code, their defaults',
    link: 'https://github.com/naver-ai/augsub',
    kind: 'code',
  },
  paper: { title: 'Heo et al., CVPR 2025', link: 'https://arxiv.org/abs/2306.11339', kind: 'paper' },
  timm: {
    title: 'defaults of timm, which the scripts use',
    link: 'https://github.com/huggingface/pytorch-image-models',
    kind: 'code',
  },
  beit2: {
    title: 'BEiT v2, guide and script for fine-tuning',
    link: 'https://github.com/microsoft/unilm/tree/master/beit2',
    kind: 'base',
  },
  ftClip: { title: 'FT-CLIP, scripts', link: 'https://github.com/LightDXY/FT-CLIP', kind: 'base' },
  bert: { title: 'Devlin et al. 2019, appendix A', link: 'https://arxiv.org/abs/1810.04805', kind: 'base' },
  own: { title: 'our own choice', kind: 'own' },
} as const satisfies Record<string, Source>;

export type SourceName = keyof typeof sources;

/** A value and where it comes from. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: SourceName;
  /** What is to be known beside it; for an own choice the reason. */
  readonly note?: string;
}

/** `from('code')(1e-8)`: a value of that source. */
export const from =
  (source: Exclude<SourceName, 'own'>) =>
  <const T>(value: T, note?: string): Sourced<T> => ({ value, source, ...(note ? { note } : {}) });

/** A value that no source gives, and why this one. */
export const ownChoice = <const T>(value: T, reason: string): Sourced<T> => ({ value, source: 'own', note: reason });
