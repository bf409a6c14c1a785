// Runs a planned program: chunks to threads, partial sums to outputs. The loops themselves are in interpreter.cc.
#include "run.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "../threads.h"
#include "interpreter.h"

namespace masksub {
namespace {

const Interpreter& BestInterpreter() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_v3 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  return has_v4 ? v4::kInterpreter : has_v3 ? v3::kInterpreter : v2::kInterpreter;
#else
  return generic::kInterpreter;
#endif
}

const Interpreter& ChosenInterpreter() {
  static const Interpreter& chosen = BestInterpreter();
  return chosen;
}

// Memory that a thread keeps from call to call, up to a limit; on a cache line.
class Scratch {
 public:
  float* Get(int64_t floats) {
    if (floats > size_) {
      memory_.reset(new float[floats + kLineFloats]);
      size_ = floats;
    }
    const uintptr_t address = reinterpret_cast<uintptr_t>(memory_.get());
    return reinterpret_cast<float*>((address + kLineBytes - 1) / kLineBytes * kLineBytes);
  }
  // Called after a run: a single wide one must not hold its memory for ever.
  void Trim() {
    if (size_ <= kKeptFloats) return;
    memory_.reset();
    size_ = 0;
  }

 private:
  static constexpr uintptr_t kLineBytes = 64;
  static constexpr int64_t kLineFloats = 16, kKeptFloats = 1 << 18;
  std::unique_ptr<float[]> memory_;
  int64_t size_ = 0;
};

float ReadScalar(const void* data, Type type) {
  switch (type) {
    case Type::kInt32:
      return static_cast<float>(*static_cast<const int32_t*>(data));
    case Type::kBool:
      return static_cast<float>(*static_cast<const uint8_t*>(data));
    case Type::kBfloat16: {
      const uint32_t bits = static_cast<uint32_t>(*static_cast<const uint16_t*>(data)) << 16;
      float value;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    }
    default:
      return *static_cast<const float*>(data);
  }
}

void WriteNumber(void* data, Type type, int64_t index, float value) {
  if (type == Type::kFloat) {
    static_cast<float*>(data)[index] = value;
    return;
  }
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = value != value ? bits | 0x400000u : bits + 0x7fffu + ((bits >> 16) & 1u);
  static_cast<uint16_t*>(data)[index] = static_cast<uint16_t>(rounded >> 16);
}

struct Work {
  const Call& call;
  const Interpreter& interpreter;
  int64_t scratch_floats;
};

// What each thread does: its own memory, then chunks until none is left.
void RunChunks(void* context, Tasks& tasks) {
  thread_local Scratch scratch;
  thread_local std::vector<float*> values;
  thread_local std::vector<const float*> bases;
  int64_t chunk = tasks.Next();
  if (chunk < 0) return;
  const Work& work = *static_cast<const Work*>(context);
  values.resize(work.call.value_count);
  bases.resize(work.call.value_count);
  const Frame frame = {scratch.Get(work.scratch_floats), values.data(), bases.data()};
  work.interpreter.prepare(work.call, frame);
  for (; chunk >= 0; chunk = tasks.Next()) work.interpreter.run_chunk(work.call, frame, chunk);
  scratch.Trim();
}

// Partial sums are added in the order of the chunks.
void WriteSums(const Plan& plan, const Call& call, const std::vector<void*>& outputs) {
  const int64_t parts = plan.split_columns ? 1 : plan.chunks, cols = call.cols;
  for (size_t s = 0; s < plan.column_sums.size(); s++) {
    const int32_t output = plan.column_sums[s];
    float* sum = call.column_parts + static_cast<int64_t>(s) * parts * cols;
    for (int64_t part = 1; part < parts; part++) {
      const float* next = sum + part * cols;
      for (int64_t i = 0; i < cols; i++) sum[i] += next[i];
    }
    const Type type = plan.program.outputs[output].type;
    for (int64_t i = 0; i < cols; i++) WriteNumber(outputs[output], type, i, sum[i]);
  }
  for (size_t s = 0; s < plan.totals.size(); s++) {
    const double* part = call.total_parts + static_cast<int64_t>(s) * plan.chunks * kTotalStride;
    double total = 0;
    for (int64_t chunk = 0; chunk < plan.chunks; chunk++) total += part[chunk * kTotalStride];
    const int32_t output = plan.totals[s];
    WriteNumber(outputs[output], plan.program.outputs[output].type, 0, static_cast<float>(total));
  }
}

}  // namespace

void RunPlan(const Plan& plan, const std::vector<const void*>& inputs, const std::vector<void*>& outputs,
             const std::vector<float>& constants) {
  const Program& program = plan.program;
  std::vector<float> numbers = constants;
  std::vector<InputView> input_views;
  for (size_t i = 0; i < inputs.size(); i++) {
    const Input& input = program.inputs[i];
    input_views.push_back({inputs[i], input.type, input.kind, input.div, input.mod});
    if (input.kind == Kind::kScalar) numbers.push_back(ReadScalar(inputs[i], input.type));
  }
  std::vector<OutputView> output_views;
  for (size_t i = 0; i < outputs.size(); i++) output_views.push_back({outputs[i], program.outputs[i].type});

  const int64_t parts = plan.split_columns ? 1 : plan.chunks;
  std::vector<float> column_parts(plan.column_sums.size() * parts * program.cols);
  std::vector<double> total_parts(plan.totals.size() * plan.chunks * kTotalStride);
  Call call = {};
  call.once = plan.once.data();
  call.steps = plan.steps.data();
  call.directs = plan.directs.data();
  call.once_count = plan.once.size();
  call.step_count = plan.steps.size();
  call.direct_count = plan.directs.size();
  call.value_count = plan.homes.size();
  call.homes = plan.homes.data();
  call.inputs = input_views.data();
  call.outputs = output_views.data();
  call.layouts = program.layouts.data();
  call.constants = numbers.data();
  call.rows = program.rows;
  call.cols = program.cols;
  call.tile_rows = plan.tile_rows;
  call.tile_cols = plan.tile_cols;
  call.row_tiles = plan.row_tiles;
  call.col_tiles = plan.col_tiles;
  call.chunks = plan.chunks;
  call.split_columns = plan.split_columns;
  call.column_parts = column_parts.data();
  call.total_parts = total_parts.data();

  Work work = {call, ChosenInterpreter(), plan.scratch_floats};
  RunTasks(plan.chunks, plan.parallel, RunChunks, &work);
  WriteSums(plan, call, outputs);
}

}  // namespace masksub
