/**
 * A run as an event file that TensorBoard reads: records of length, checksum and an `Event` message
 * (https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto).
 */
import fs from 'node:fs';
import path from 'node:path';
import { Writer } from 'protobufjs/minimal.js';
import { flattenConfig } from '../../core/flatten.ts';
import type { MetricTable } from '../../core/metricQuery.ts';
import { explainFileError, makeFolder } from '../../store/files.ts';
import { maskedCrc32c } from './crc32c.ts';
import { type Row, rowsOf } from './rows.ts';
import type { ExportedRun } from './runs.ts';

/** Writes the log folder of a run. */
export function writeEventFile(run: ExportedRun, logFolder: string): void {
  makeFolder(logFolder);
  const seconds = Math.floor(beganAt(run) / 1000);
  const file = path.join(logFolder, `events.out.tfevents.${seconds}.masksub`);
  try {
    const descriptor = fs.openSync(file, 'wx');
    try {
      let waiting: Uint8Array[] = [];
      let size = 0;
      for (const record of recordsOf(run)) {
        waiting.push(record);
        size += record.length;
        if (size < 1 << 20) continue;
        fs.writeFileSync(descriptor, Buffer.concat(waiting));
        [waiting, size] = [[], 0];
      }
      fs.writeFileSync(descriptor, Buffer.concat(waiting));
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    throw explainFileError(file, error);
  }
}

/** `loss.main` → `loss/main`: TensorBoard groups by what stands before the first slash. */
export function tagOf(table: MetricTable, name: string): string {
  const inGroup = name.replace('.', '/');
  return table === 'layers' ? `layers/${inGroup}` : inGroup;
}

function* recordsOf(run: ExportedRun): Generator<Uint8Array> {
  const began = beganAt(run) / 1000;
  yield record(Writer.create().uint32(9).double(began).uint32(26).string('brain.Event:2').finish());
  yield record(event(began, 0, [textValue('config', configTable(run))]));
  for (const { at, step, table, values } of rowsOf(run.folder)) {
    yield record(event(at / 1000, step, scalars(table, values)));
  }
}

function scalars(table: MetricTable, values: Row['values']): Uint8Array[] {
  return values.map(([name, value]) =>
    Writer.create().uint32(10).string(tagOf(table, name)).uint32(21).float(value).finish(),
  );
}

/** An `Event` with the values of its summary. */
function event(wallTime: number, step: number, values: readonly Uint8Array[]): Uint8Array {
  const summary = Writer.create();
  for (const value of values) summary.uint32(10).bytes(value);
  return Writer.create().uint32(9).double(wallTime).uint32(16).int64(step).uint32(42).bytes(summary.finish()).finish();
}

/** A text for TensorBoard's page of texts: a tensor with one string. */
function textValue(tag: string, text: string): Uint8Array {
  const plugin = Writer.create().uint32(10).string('text').finish();
  const dataClassTensor = 2;
  const metadata = Writer.create().uint32(10).bytes(plugin).uint32(32).int32(dataClassTensor).finish();
  const dimension = Writer.create().uint32(8).int64(1).finish();
  const shape = Writer.create().uint32(18).bytes(dimension).finish();
  const dtypeString = 7;
  const tensor = Writer.create()
    .uint32(8)
    .int32(dtypeString)
    .uint32(18)
    .bytes(shape)
    .uint32(66)
    .bytes(Buffer.from(text))
    .finish();
  return Writer.create().uint32(10).string(tag).uint32(66).bytes(tensor).uint32(74).bytes(metadata).finish();
}

/** The config as a table in Markdown, which TensorBoard renders. */
function configTable({ config }: ExportedRun): string {
  const cell = (value: unknown) =>
    String(value)
      .replaceAll(/[\\`*_{}[\]()#+!|<>]/g, '\\$&')
      .replaceAll('\n', ' ');
  const rows = Object.entries(flattenConfig(config)).map(([key, value]) => `| ${cell(key)} | ${cell(value)} |`);
  return ['| key | value |', '|---|---|', ...rows].join('\n');
}

function record(data: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(data.length + 16);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(maskedCrc32c(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return framed;
}

const beganAt = ({ state }: ExportedRun) => Date.parse(state.start?.at ?? '') || 0;
