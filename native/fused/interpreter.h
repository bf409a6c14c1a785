// What one call of a fused op is, as plain data, and the loops that run it, once for each instruction set.
#pragma once

#include "plan.h"

namespace masksub {

struct InputView {
  const void* data;
  Type type;
  Kind kind;
  int64_t div, mod;
};

struct OutputView {
  void* data;
  Type type;
};

// Read by all threads that run the call.
struct Call {
  const Step* once;
  const Step* steps;
  const Direct* directs;
  int64_t once_count, step_count, direct_count, value_count;
  const int64_t* homes;  // by value; see Plan
  const InputView* inputs;
  const OutputView* outputs;
  const Layout* layouts;
  const float* constants;
  int64_t rows, cols, tile_rows, tile_cols, row_tiles, col_tiles, chunks;
  bool split_columns;
  float* column_parts;  // (sums, chunks or 1 where columns are split, cols)
  double* total_parts;  // (sums, chunks, kTotalStride)
};
constexpr int64_t kTotalStride = 8;  // a cache line each, since threads add to them at the same time

// The memory of one thread.
struct Frame {
  float* scratch;
  float** values;       // by value: where it lies in this tile
  const float** bases;  // by value: its first column, of a column input
};

struct Interpreter {
  // Places the values of a frame and computes what is the same in all tiles.
  void (*prepare)(const Call& call, const Frame& frame);
  // Runs the tiles of a chunk, from 0.
  void (*run_chunk)(const Call& call, const Frame& frame, int64_t chunk);
};

#if defined(__x86_64__)
namespace v2 {
extern const Interpreter kInterpreter;
}
namespace v3 {
extern const Interpreter kInterpreter;
}
namespace v4 {
extern const Interpreter kInterpreter;
}
#else
namespace generic {
extern const Interpreter kInterpreter;
}
#endif

}  // namespace masksub
