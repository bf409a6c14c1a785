/** tfjs's WebGPU backend on Dawn, from the npm package `webgpu`. A module of its own, so that only who needs it loads it. */
import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../core/errors.ts';

const others = 'With "run.backend": "tensorflow" or "wasm" training goes on without it.';

/** Registers the backend on the fastest adapter and says which one that is. Throws a UserError where there is none. */
export async function registerWebgpu(): Promise<string> {
  const { create, globals } = await loadDawn();
  Object.assign(globalThis, globals);
  const gpu = create([]);
  const dawn = new Dawn();
  const adapter = await dawn.call(() => gpu.requestAdapter({ powerPreference: 'high-performance' }));
  if (!adapter) {
    throw new UserError('WebGPU finds no adapter here.', {
      hint: `It needs a GPU with its driver for Vulkan, Metal or Direct3D 12 (on Linux also libvulkan.so.1). ${others}`,
    });
  }
  const { limits } = adapter;
  const device = await dawn.call(() =>
    adapter.requestDevice({
      requiredLimits: {
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
        maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
        maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      },
    }),
  );
  tf.registerBackend('webgpu', () => withNavigator(gpu, () => new NodeBackend(dawn, device, adapter.info)));
  return adapter.info.description || adapter.info.device || adapter.info.vendor;
}

/** With the reads that tfjs makes at once only through a canvas, which Node lacks. */
class NodeBackend extends WebGPUBackend {
  private readonly dawn: Dawn;
  /** WebGPU tells a listener alone what went wrong on the device; what is read afterwards would be wrong numbers. */
  private problem: string | undefined;

  constructor(dawn: Dawn, device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.dawn = dawn;
    device.onuncapturederror = ({ error }) => {
      this.problem ??= error.message;
    };
  }

  override readSync(dataId: object): tf.BackendValues {
    const { values, dtype, resource } = this.tensorMap.get(dataId);
    if (values || dtype === 'complex64' || !(resource instanceof GPUBuffer)) return super.readSync(dataId);
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    this.submitQueue();
    const { size } = resource;
    const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(resource, 0, staging, 0, size);
    this.queue.submit([encoder.finish()]);
    this.dawn.finish(
      () => staging.mapAsync(GPUMapMode.READ),
      () => staging.mapState !== 'pending',
    );
    if (this.problem !== undefined || staging.mapState !== 'mapped') {
      throw new Error(`WebGPU failed: ${this.problem ?? 'the device was lost'}`);
    }
    const bytes = staging.getMappedRange().slice(0);
    staging.destroy();
    return tf.util.convertBackendValuesAndArrayBuffer(bytes, dtype);
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    return this.readSync(dataId);
  }
}

interface Gpu {
  /** The adapter's `info` is newer than the types that tfjs brings. */
  requestAdapter(options: GPURequestAdapterOptions): Promise<(GPUAdapter & { readonly info: GPUAdapterInfo }) | null>;
}

interface DawnModule {
  create(options: readonly string[]): Gpu;
  /** The classes and constants that a browser has as globals. */
  readonly globals: object;
}

/** Found when it runs, not when it is bundled: it is native, with 20 MB a platform, and only a checkout has it. */
const dawnPackage = 'webgpu';

async function loadDawn(): Promise<DawnModule> {
  try {
    return await import(dawnPackage);
  } catch (cause) {
    const isMissing = (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND';
    const what = isMissing ? 'is not installed' : `does not load: ${String((cause as Error).message).split('\n')[0]}`;
    throw new UserError(`The npm package "${dawnPackage}", with which the backend "webgpu" computes, ${what}.`, {
      hint: `A checkout has it (\`npm start\` installs it), the packaged extension does not. ${others}`,
      cause,
    });
  }
}

/**
 * Dawn finishes asynchronous calls in a callback that it hands to `setImmediate`. Caught there, the callback can also be called at
 * once, so that a result can be awaited without leaving the current turn of the event loop.
 */
class Dawn {
  private tick: (() => void) | undefined;

  /** A call into Dawn that finishes later. */
  call<T>(f: () => T): T {
    const { setImmediate } = globalThis;
    const caught = (callback: () => void) => {
      const tick = () => {
        if (this.tick !== tick) return;
        this.tick = undefined;
        this.call(callback);
      };
      this.tick = tick;
      return setImmediate(tick);
    };
    globalThis.setImmediate = caught as typeof setImmediate;
    try {
      return f();
    } finally {
      globalThis.setImmediate = setImmediate;
    }
  }

  /** Makes a call and blocks until it is done. */
  finish(f: () => Promise<unknown>, isDone: () => boolean): void {
    this.call(f).catch(() => {}); // who asked looks at the state
    for (let turn = 0; !isDone(); turn++) {
      if (!this.tick) throw new Error('Dawn waits for nothing, and yet something is pending.');
      this.tick();
      if (turn > EAGER_TURNS) Atomics.wait(nap, 0, 0, NAP_MS);
    }
  }
}

/** After so many turns a result is not at hand: the processor has better things to do than to ask. */
const EAGER_TURNS = 100;
const NAP_MS = 0.1;
const nap = new Int32Array(new SharedArrayBuffer(4));

/** Calls `f` while `navigator.gpu` is there, which tfjs looks for. It would keep Node from ending if it stayed. */
function withNavigator<T>(gpu: Gpu, f: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  try {
    return f();
  } finally {
    if (before) Object.defineProperty(globalThis, 'navigator', before);
    else Reflect.deleteProperty(globalThis, 'navigator');
  }
}
