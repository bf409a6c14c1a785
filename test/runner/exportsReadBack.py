"""Reads back what `masksub export` wrote for TensorBoard or MLflow, with their own code, and prints it as JSON."""

import json
import os
import sys

kind, folder = sys.argv[1:]
if kind == 'tensorboard':
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = {}
    for run in sorted(os.listdir(folder)):
        log = EventAccumulator(os.path.join(folder, run), size_guidance={'scalars': 0, 'tensors': 0})
        log.Reload()
        tags = log.Tags()
        found[run] = {
            'scalars': {tag: [[s.wall_time, s.step, s.value] for s in log.Scalars(tag)] for tag in tags['scalars']},
            'texts': {tag: log.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in tags['tensors']},
        }
else:
    os.environ['MLFLOW_ALLOW_FILE_STORE'] = 'true'
    from mlflow import MlflowClient

    client = MlflowClient('file://' + os.path.abspath(folder))
    found = {}
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            run_id = run.info.run_id
            found[run.info.run_name] = {
                'id': run_id,
                'experiment': experiment.name,
                'status': run.info.status,
                'times': [run.info.start_time, run.info.end_time],
                'params': run.data.params,
                'tags': run.data.tags,
                'metrics': {
                    key: [[m.timestamp, m.step, m.value] for m in client.get_metric_history(run_id, key)]
                    for key in run.data.metrics
                },
                'artifacts': [file.path for file in client.list_artifacts(run_id)],
            }
print(json.dumps(found))
