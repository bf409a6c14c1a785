/**
 * BERT as transformers names it, with the prefix `bert.` or, as sentence-transformers saves it, without
 * (https://github.com/huggingface/transformers, models/bert/modeling_bert.py); norms also by the names of TensorFlow, gamma and beta.
 */
import { drop, dropBuffer, type Layout, rename } from './layout.ts';

const part = '(embeddings|encoder|pooler)';
const word = '(?:word_embeddings|position_embeddings|token_type_embeddings)';

export const bert: Layout = {
  title: 'BERT (transformers)',
  model: 'bert',
  describes: (shapes) =>
    ['', 'bert.'].some(
      (at) =>
        shapes.has(`${at}embeddings.word_embeddings.weight`) &&
        shapes.has(`${at}encoder.layer.0.attention.self.query.weight`),
    ),
  rules: [
    rename(new RegExp(`^(?:bert\\.)?embeddings\\.(${word})\\.weight$`), 'bert.embeddings.$1.weight'),
    rename(new RegExp(`^(?:bert\\.)?${part}\\.(.*LayerNorm)\\.gamma$`), 'bert.$1.$2.weight'),
    rename(new RegExp(`^(?:bert\\.)?${part}\\.(.*LayerNorm)\\.beta$`), 'bert.$1.$2.bias'),
    rename(/^(?:bert\.)?(embeddings\.LayerNorm\.(?:weight|bias))$/, 'bert.$1'),
    rename(/^(?:bert\.)?(encoder\.layer\.\d+\..*\.(?:weight|bias))$/, 'bert.$1'),
    rename(/^(?:bert\.)?(pooler\.dense\.(?:weight|bias))$/, 'bert.$1'),
    rename(/^(classifier\.(?:weight|bias))$/, '$1'),
    drop(/^cls\.(?:predictions|seq_relationship)\./, 'the heads of pre-training'),
    dropBuffer(/^(?:bert\.)?embeddings\.position_ids$/, 'position ids'),
  ],
  mayLack: /^bert\.pooler\./,
};
