/** Configs that the editor tests write into a workspace: the default experiment, shorter or longer. */

/** The default experiment for so many epochs, validated on few samples on the way. */
export function configText(epochs: number, train: Readonly<Record<string, unknown>> = {}): string {
  const config = {
    name: 'editor-test',
    data: { dataset: 'fashion-mnist-mini', trainOn: 320, validateEvery: 1, validateOn: 100 },
    model: {
      name: 'vit',
      imageSize: 28,
      patchSize: 7,
      width: 32,
      depth: 2,
      heads: 2,
      mlpRatio: 2,
      pool: 'mean',
      layerScale: 1,
    },
    train: { epochs, batchSize: 32, warmupEpochs: 1, learningRate: 2e-3, ...train },
    run: { logEvery: 2 },
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
