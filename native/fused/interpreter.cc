// Runs the steps of a plan tile by tile. Compiled once for each instruction set, with MASKSUB_ISA as its namespace: so
// nothing here may call an inline function of a shared header, of which the linker keeps one version for all.
#include "interpreter.h"

#ifndef MASKSUB_ISA
#define MASKSUB_ISA generic
#endif

#include <cstring>

#include "loops.h"
#include "math.h"

namespace masksub::MASKSUB_ISA {
namespace {

struct Tile {
  int64_t row, rows, col, cols;
};

// Elements `from` to `from + n` of an input as floats.
MASKSUB_NOINLINE void Convert(const InputView& input, int64_t from, int64_t n, float* out) {
  if (input.type == Type::kFloat) {
    std::memcpy(out, static_cast<const float*>(input.data) + from, n * sizeof(float));
  } else if (input.type == Type::kBfloat16) {
    const uint16_t* data = static_cast<const uint16_t*>(input.data) + from;
    MASKSUB_INDEPENDENT
    for (int64_t i = 0; i < n; i++) out[i] = FromBfloat16(data[i]);
  } else if (input.type == Type::kInt32) {
    const int32_t* data = static_cast<const int32_t*>(input.data) + from;
    MASKSUB_INDEPENDENT
    for (int64_t i = 0; i < n; i++) out[i] = static_cast<float>(data[i]);
  } else {
    const uint8_t* data = static_cast<const uint8_t*>(input.data) + from;
    MASKSUB_INDEPENDENT
    for (int64_t i = 0; i < n; i++) out[i] = static_cast<float>(data[i]);
  }
}

// Where row `row` begins.
int64_t AddressOf(const Layout& layout, int64_t row) {
  int64_t address = layout.offset;
  for (int64_t d = layout.dimensions; d-- > 0;) {
    address += row % layout.sizes[d] * layout.strides[d];
    row /= layout.sizes[d];
  }
  return address;
}

// Calls use(address, rows, from) for each stretch of a tile's rows that lie at one stride: `from` is its first row.
template <class Use>
void ForStretches(const Layout& layout, const Tile& tile, Use use) {
  const int64_t inner = layout.dimensions > 0 ? layout.sizes[layout.dimensions - 1] : 1;
  for (int64_t r = 0; r < tile.rows;) {
    const int64_t row = tile.row + r, left = inner - row % inner;
    const int64_t rows = left < tile.rows - r ? left : tile.rows - r;
    use(AddressOf(layout, row), rows, r);
    r += rows;
  }
}

void LoadStrided(const Call& call, const Frame& frame, const Tile& tile, const Step& step) {
  const InputView& input = call.inputs[step.a];
  const Layout& layout = call.layouts[input.div];
  float*& value = frame.values[step.out];
  if (call.tile_rows == 1 && input.type == Type::kFloat) {
    value = const_cast<float*>(static_cast<const float*>(input.data)) + AddressOf(layout, tile.row) + tile.col;
    return;
  }
  if (call.homes[step.out] >= 0) value = frame.scratch + call.homes[step.out];
  const int64_t stride = layout.dimensions > 0 ? layout.strides[layout.dimensions - 1] : 0;
  ForStretches(layout, tile, [&](int64_t address, int64_t rows, int64_t from) {
    for (int64_t r = 0; r < rows; r++) {
      Convert(input, address + r * stride + tile.col, tile.cols, value + (from + r) * tile.cols);
    }
  });
}

void Load(const Call& call, const Frame& frame, const Tile& tile, const Step& step) {
  const InputView& input = call.inputs[step.a];
  float*& value = frame.values[step.out];
  if (input.kind == Kind::kColumn) {
    value = const_cast<float*>(frame.bases[step.out]) + tile.col;
    return;
  }
  if (input.kind == Kind::kStrided) return LoadStrided(call, frame, tile, step);
  const int64_t width = step.row ? 1 : call.cols, col = step.row ? 0 : tile.col, cols = step.row ? 1 : tile.cols;
  const int64_t first = tile.row / input.div % input.mod;
  const bool together = tile.rows == 1 || (input.div == 1 && first + tile.rows <= input.mod);
  if (together && input.type == Type::kFloat) {
    value = const_cast<float*>(static_cast<const float*>(input.data)) + first * width + col;
    return;
  }
  if (call.homes[step.out] >= 0) value = frame.scratch + call.homes[step.out];
  if (together) return Convert(input, first * width + col, tile.rows * cols, value);
  for (int64_t r = 0; r < tile.rows; r++) {
    Convert(input, (tile.row + r) / input.div % input.mod * width + col, cols, value + r * cols);
  }
}

MASKSUB_NOINLINE void Write(const OutputView& output, int64_t from, const float* a, int64_t n) {
  if (output.type == Type::kFloat) {
    float* out = static_cast<float*>(output.data) + from;
    if (out != a) std::memcpy(out, a, n * sizeof(float));
    return;
  }
  uint16_t* out = static_cast<uint16_t*>(output.data) + from;
  MASKSUB_INDEPENDENT
  for (int64_t i = 0; i < n; i++) out[i] = ToBfloat16(a[i]);
}

void Sink(const Call& call, const Frame& frame, const Tile& tile, int64_t chunk, const Step& step) {
  const float* a = frame.values[step.a];
  if (step.row && tile.col > 0) return;  // the first tile of the row has done it
  const int64_t n = step.row ? tile.rows : tile.rows * tile.cols;
  if (step.op == Op::kStore && step.c > 0) {
    const Layout& layout = call.layouts[step.c - 1];
    const int64_t stride = layout.dimensions > 0 ? layout.strides[layout.dimensions - 1] : 0;
    ForStretches(layout, tile, [&](int64_t address, int64_t rows, int64_t from) {
      for (int64_t r = 0; r < rows; r++) {
        Write(call.outputs[step.b], address + r * stride + tile.col, a + (from + r) * tile.cols, tile.cols);
      }
    });
  } else if (step.op == Op::kStore) {
    Write(call.outputs[step.b], step.row ? tile.row : tile.row * call.cols + tile.col, a, n);
  } else if (step.op == Op::kTotal) {
    call.total_parts[(step.b * call.chunks + chunk) * kTotalStride] += Reduce<AddOp>(a, n);
  } else {
    const int64_t part = call.split_columns ? step.b : step.b * call.chunks + chunk;
    AddRows(call.column_parts + part * call.cols + tile.col, a, tile.rows, tile.cols);
  }
}

void Fill(float* out, float value, int64_t n) {
  for (int64_t i = 0; i < n; i++) out[i] = value;
}

void Expand(float* out, const float* a, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; r++) Fill(out + r * cols, a[r], cols);
}

Operands Resolve(const Call& call, const Frame& frame, const Tile& tile, const Step& step) {
  Operands x = {};
  x.out = frame.values[step.out];
  x.a = frame.values[step.a];
  x.rows = step.row ? 1 : tile.rows;
  x.cols = step.row ? tile.rows : tile.cols;
  if (step.op < Op::kAdd) return x;
  if (step.b_kind == Operand::kValue) x.b = frame.values[step.b];
  if (step.b_kind == Operand::kRow) x.b_rows = frame.values[step.b];
  if (step.b_kind == Operand::kConstant) x.b_constant = call.constants[step.b];
  if (step.op < Op::kMulAdd) return x;
  if (step.c_kind == Operand::kValue) x.c = frame.values[step.c];
  if (step.c_kind == Operand::kRow) x.c_rows = frame.values[step.c];
  if (step.c_kind == Operand::kConstant) x.c_constant = call.constants[step.c];
  return x;
}

float Truth(bool value) { return value ? 1.0f : 0.0f; }

void Compute(const Operands& x, Op op) {
  switch (op) {
    case Op::kNeg:
      return Unary(x, [](float a) { return -a; });
    case Op::kAbs:
      return Unary(x, [](float a) { return __builtin_fabsf(a); });
    case Op::kSquare:
      return Unary(x, [](float a) { return a * a; });
    case Op::kSqrt:
      return Unary(x, [](float a) { return __builtin_sqrtf(a); });
    case Op::kRsqrt:
      return Unary(x, [](float a) { return 1.0f / __builtin_sqrtf(a); });
    case Op::kReciprocal:
      return Unary(x, [](float a) { return 1.0f / a; });
    case Op::kExp:
      return Unary(x, [](float a) { return Exp(a); });
    case Op::kLog:
      return Unary(x, [](float a) { return Log(a); });
    case Op::kLog1p:
      return Unary(x, [](float a) { return Log1p(a); });
    case Op::kExpm1:
      return Unary(x, [](float a) { return Expm1(a); });
    case Op::kErf:
      return Unary(x, [](float a) { return Erf(a); });
    case Op::kTanh:
      return Unary(x, [](float a) { return Tanh(a); });
    case Op::kSigmoid:
      return Unary(x, [](float a) { return Sigmoid(a); });
    case Op::kRelu:
      return Unary(x, [](float a) { return a < 0.0f ? 0.0f : a; });
    case Op::kSign:
      return Unary(x, [](float a) { return a > 0.0f ? 1.0f : (a < 0.0f ? -1.0f : a); });
    case Op::kFloor:
      return Unary(x, [](float a) { return __builtin_floorf(a); });
    case Op::kLogicalNot:
      return Unary(x, [](float a) { return Truth(a == 0.0f); });
    case Op::kAdd:
      return Binary(x, [](float a, float b) { return a + b; });
    case Op::kSub:
      return Binary(x, [](float a, float b) { return a - b; });
    case Op::kReverseSub:
      return Binary(x, [](float a, float b) { return b - a; });
    case Op::kMul:
      return Binary(x, [](float a, float b) { return a * b; });
    case Op::kDiv:
      return Binary(x, [](float a, float b) { return a / b; });
    case Op::kReverseDiv:
      return Binary(x, [](float a, float b) { return b / a; });
    case Op::kMax:
      return Binary(x, [](float a, float b) { return (a > b) | (a != a) ? a : b; });
    case Op::kMin:
      return Binary(x, [](float a, float b) { return (a < b) | (a != a) ? a : b; });
    case Op::kPow:
      return Binary(x, [](float a, float b) { return __builtin_powf(a, b); });
    case Op::kGreater:
      return Binary(x, [](float a, float b) { return Truth(a > b); });
    case Op::kGreaterEqual:
      return Binary(x, [](float a, float b) { return Truth(a >= b); });
    case Op::kLess:
      return Binary(x, [](float a, float b) { return Truth(a < b); });
    case Op::kLessEqual:
      return Binary(x, [](float a, float b) { return Truth(a <= b); });
    case Op::kEqual:
      return Binary(x, [](float a, float b) { return Truth(a == b); });
    case Op::kNotEqual:
      return Binary(x, [](float a, float b) { return Truth(a != b); });
    case Op::kLogicalAnd:
      return Binary(x, [](float a, float b) { return Truth((a != 0.0f) & (b != 0.0f)); });
    case Op::kLogicalOr:
      return Binary(x, [](float a, float b) { return Truth((a != 0.0f) | (b != 0.0f)); });
    case Op::kSquaredDifference:
      return Binary(x, [](float a, float b) { return (a - b) * (a - b); });
    case Op::kMulAdd:
      return Ternary(x, [](float a, float b, float c) { return a * b + c; });
    case Op::kSelect:
      return Ternary(x, [](float a, float b, float c) { return a != 0.0f ? b : c; });
    default:
      return;
  }
}

void RunTile(const Call& call, const Frame& frame, const Tile& tile, int64_t chunk) {
  for (int64_t i = 0; i < call.direct_count; i++) {
    const Direct& direct = call.directs[i];
    float* out = static_cast<float*>(call.outputs[direct.output].data);
    frame.values[direct.value] = out + tile.row * call.cols + tile.col;
  }
  for (int64_t i = 0; i < call.step_count; i++) {
    const Step& step = call.steps[i];
    switch (step.op) {
      case Op::kLoad:
        Load(call, frame, tile, step);
        break;
      case Op::kExpand:
        Expand(frame.values[step.out], frame.values[step.a], tile.rows, tile.cols);
        break;
      case Op::kRowSum:
        ReduceRows<AddOp>(frame.values[step.out], frame.values[step.a], tile.rows, tile.cols);
        break;
      case Op::kRowMax:
        ReduceRows<MaxOp>(frame.values[step.out], frame.values[step.a], tile.rows, tile.cols);
        break;
      case Op::kStore:
      case Op::kColumnSum:
      case Op::kTotal:
        Sink(call, frame, tile, chunk, step);
        break;
      default:
        Compute(Resolve(call, frame, tile, step), step.op);
    }
  }
}

// The columns of an input, once for each row of a tile.
void PrepareColumn(const Call& call, const Frame& frame, const Step& step) {
  const InputView& input = call.inputs[step.a];
  if (call.homes[step.out] < 0) {
    frame.bases[step.out] = static_cast<const float*>(input.data);
    return;
  }
  float* out = frame.scratch + call.homes[step.out];
  frame.bases[step.out] = out;
  for (int64_t r = 0; r < call.tile_rows; r++) Convert(input, 0, call.cols, out + r * call.cols);
}

void Prepare(const Call& call, const Frame& frame) {
  for (int64_t i = 0; i < call.value_count; i++) {
    if (call.homes[i] >= 0) frame.values[i] = frame.scratch + call.homes[i];
  }
  for (int64_t i = 0; i < call.once_count; i++) {
    const Step& step = call.once[i];
    if (step.op == Op::kLoad) {
      PrepareColumn(call, frame, step);
    } else {
      const int64_t n = step.row ? call.tile_rows : call.tile_rows * call.tile_cols;
      Fill(frame.values[step.out], call.constants[step.b], n);
    }
  }
}

int64_t Least(int64_t a, int64_t b) { return a < b ? a : b; }

void RunChunk(const Call& call, const Frame& frame, int64_t chunk) {
  const int64_t count = call.split_columns ? call.col_tiles : call.row_tiles;
  const int64_t begin = chunk * count / call.chunks, end = (chunk + 1) * count / call.chunks;
  const int64_t row_begin = call.split_columns ? 0 : begin, row_end = call.split_columns ? call.row_tiles : end;
  const int64_t col_begin = call.split_columns ? begin : 0, col_end = call.split_columns ? end : call.col_tiles;
  for (int64_t r = row_begin; r < row_end; r++) {
    const int64_t row = r * call.tile_rows, rows = Least(call.tile_rows, call.rows - row);
    for (int64_t c = col_begin; c < col_end; c++) {
      const int64_t col = c * call.tile_cols;
      RunTile(call, frame, {row, rows, col, Least(call.tile_cols, call.cols - col)}, chunk);
    }
  }
}

}  // namespace

const Interpreter kInterpreter = {Prepare, RunChunk};

}  // namespace masksub::MASKSUB_ISA
